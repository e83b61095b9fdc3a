import type { ErrorCode } from '@millrace/platform/errors.ts'

/** Refusals that come from the moment and not from what was asked for: the same again may go well. INTERNAL_ERROR is how a worker's death is told. */
export const PASSING: readonly ErrorCode[] = [
  'INTERNAL_ERROR',
  'CANCELLED',
  'REQUEST_LIMIT_EXCEEDED',
  'TEMPORARILY_UNAVAILABLE',
  'UNAUTHENTICATED',
  'STORAGE_FULL',
  'DEADLINE_EXCEEDED',
]
