import { AppError } from '@millrace/platform/errors.ts'
import { GoneError } from '../balance/watch-pods.ts'

const NOT_CONNECTED = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
]
const BROKE_OFF = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'UND_ERR_HTTP_PARSER']
const LATE = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']
const UNFIT = ['UND_ERR_INVALID_ARG', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'UND_ERR_NOT_SUPPORTED']

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '')

/** No connection came about: the service has not seen the request. */
export const isUnreached = (error: unknown): boolean => NOT_CONNECTED.includes(codeOf(error))

/** The pod cannot answer, but another might. Not a refusal, not a late answer. */
export const isPodFault = (error: unknown): boolean =>
  isUnreached(error) || error instanceof GoneError || BROKE_OFF.includes(codeOf(error)) || codeOf(error).startsWith('HPE_')

/** The pod took too long for the gateway. */
export const isLate = (error: unknown): boolean => LATE.includes(codeOf(error))

/** What the client is told of a call that failed. */
export function explainFailure(error: unknown, upstream: string): AppError {
  if (error instanceof AppError) return error
  const code = codeOf(error)
  if (LATE.includes(code)) return new AppError('DEADLINE_EXCEEDED', `The ${upstream} service did not answer in time.`, { cause: error })
  if (UNFIT.includes(code)) return new AppError('BAD_REQUEST', 'The request has a path, header or length that cannot be passed on.', { cause: error })
  const what = isUnreached(error) ? 'cannot be reached' : 'broke off'
  return new AppError('TEMPORARILY_UNAVAILABLE', `The ${upstream} service ${what} at the moment: try again.`, { cause: error })
}
