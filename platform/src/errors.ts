/**
 * Every refusal the platform speaks, with its HTTP status. The names are MLflow's where MLflow has one, so that one list serves both error bodies.
 */
export const errorStatus = {
  BAD_REQUEST: 400,
  INVALID_PARAMETER_VALUE: 400,
  INVALID_IMAGE: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_DOES_NOT_EXIST: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  RESOURCE_CONFLICT: 409,
  STALE_GENERATION: 409,
  PAYLOAD_TOO_LARGE: 413,
  IMAGE_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  MISDIRECTED_HOST: 421,
  REQUEST_LIMIT_EXCEEDED: 429,
  CANCELLED: 499,
  INTERNAL_ERROR: 500,
  INVALID_STATE: 500,
  NOT_IMPLEMENTED: 501,
  TEMPORARILY_UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
  STORAGE_FULL: 507,
} as const

export type ErrorCode = keyof typeof errorStatus

/** A refusal that was foreseen: its message says what was wrong, what was expected and what to do, and may be shown to the caller. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.details = options.details ?? {}
  }

  get status(): number {
    return errorStatus[this.code]
  }
}

export const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && code in errorStatus

/** Infrastructure is in the way (store, broker, sibling service): the same call may succeed later. */
export class TransientError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'TransientError'
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
