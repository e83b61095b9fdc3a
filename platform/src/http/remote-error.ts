import { AppError, type ErrorCode, isErrorCode, TransientError } from '../errors.ts'

/** A transient answer of a sibling, with the pause it asked for. */
export class UnavailableError extends TransientError {
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'UnavailableError'
    this.retryAfterMs = retryAfterMs
  }
}

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'RESOURCE_DOES_NOT_EXIST',
  405: 'METHOD_NOT_ALLOWED',
  409: 'RESOURCE_CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'REQUEST_LIMIT_EXCEEDED',
  499: 'CANCELLED',
  501: 'NOT_IMPLEMENTED',
}

/**
 * Turns a sibling's error answer, in any of the three dialects, back into what it was there: a refusal keeps its code and message; 5xx and 408 are transient
 * (501 excepted: asking again will not help).
 */
export function readRemoteError(options: { who: string; status: number; text: string; retryAfter: string | undefined }): AppError | UnavailableError {
  const { who, status, text } = options
  const body = parseObject(text)
  const message = firstString(body['message'], body['detail'], body['error']) ?? `${who} answered ${status}`
  if (status === 408 || (status >= 500 && status !== 501))
    return new UnavailableError(`${who} answered ${status}: ${message}`, retryAfterMs(options.retryAfter))
  const named = body['error_code'] ?? body['code']
  const code = isErrorCode(named) ? named : (CODE_BY_STATUS[status] ?? (status >= 400 ? 'BAD_REQUEST' : 'INTERNAL_ERROR'))
  const errors = body['errors']
  return new AppError(code, message, { details: { ...(Array.isArray(errors) ? { errors } : {}), answeredBy: who } })
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

const firstString = (...values: unknown[]): string | undefined => values.find((value): value is string => typeof value === 'string' && value !== '')

const retryAfterMs = (header: string | undefined): number => (header && /^\d{1,4}$/.test(header) ? Number(header) * 1000 : 0)
