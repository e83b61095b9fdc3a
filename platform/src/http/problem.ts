import { STATUS_CODES } from 'node:http'
import { AppError, type ErrorCode, TransientError } from '../errors.ts'
import type { ErrorDialect } from './route.ts'

/** An error as it goes over the wire. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
}

const RETRY_AFTER_SECONDS = '1'
const RETRYABLE: readonly ErrorCode[] = ['REQUEST_LIMIT_EXCEEDED', 'TEMPORARILY_UNAVAILABLE']

/** Where it is stored is for the log alone. */
const FULL = 'Nothing can be stored at the moment: the disk or bucket is full, or may not be written. Once somebody has made room, try again.'

/**
 * What the caller is told of an error. Only an `AppError` speaks for itself: a transient fault answers 503 with `Retry-After`, anything else is a bug and
 * answers 500 without a word about its inside (the stack belongs into the log).
 */
export function describeError(error: unknown): AppError {
  if (error instanceof AppError && error.code === 'STORAGE_FULL') return new AppError('STORAGE_FULL', FULL, { cause: error })
  if (error instanceof AppError) return error
  if (error instanceof TransientError) {
    return new AppError('TEMPORARILY_UNAVAILABLE', 'A part that is needed for this does not answer at the moment: try again.', { cause: error })
  }
  return new AppError('INTERNAL_ERROR', 'Something went wrong inside. It has been logged under the request id of this answer.', { cause: error })
}

/** Renders an error in the dialect of its route. `details.retryAfterSeconds` becomes `Retry-After`; `details.errors` is listed by problem+json. */
export function answerError(error: unknown, dialect: ErrorDialect, requestId: string): ErrorAnswer {
  const refusal = describeError(error)
  const contentType = dialect === 'problem' ? 'application/problem+json' : 'application/json'
  return { status: refusal.status, headers: { 'content-type': contentType, ...retryAfter(refusal) }, body: bodyOf(refusal, dialect, requestId) }
}

/** The dialect of a path that no route matched. */
export function dialectOfPath(path: string): ErrorDialect {
  if (/^\/(ajax-)?api\/\d\.\d\/mlflow/.test(path) || /^\/(ajax-api|graphql|gateway|v1\/traces)(\/|$)/.test(path)) return 'mlflow'
  return /^\/v2(\/|$)/.test(path) ? 'oip' : 'problem'
}

function retryAfter(error: AppError): Record<string, string> {
  const seconds = error.details['retryAfterSeconds']
  if (typeof seconds === 'number') return { 'retry-after': String(Math.max(1, Math.ceil(seconds))) }
  return RETRYABLE.includes(error.code) ? { 'retry-after': RETRY_AFTER_SECONDS } : {}
}

function bodyOf(error: AppError, dialect: ErrorDialect, requestId: string): Record<string, unknown> {
  switch (dialect) {
    case 'mlflow':
      return { error_code: error.code, message: error.message }
    case 'oip':
      return { error: error.message }
    case 'problem':
      return {
        ...error.details,
        type: `urn:millrace:error:${error.code.toLowerCase().replaceAll('_', '-')}`,
        title: STATUS_CODES[error.status] ?? 'Error',
        status: error.status,
        detail: error.message,
        code: error.code,
        request_id: requestId,
      }
  }
}
