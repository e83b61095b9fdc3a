import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'

const ACCEPTED = /^[\x21-\x7e]{1,255}$/

/** The caller's name for this one operation; null where it gave none. @throws AppError INVALID_PARAMETER_VALUE */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | null {
  const key = headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key === 'string' && ACCEPTED.test(key)) return key
  throw new AppError('INVALID_PARAMETER_VALUE', 'The header idempotency-key must be 1 to 255 printable characters without spaces.')
}
