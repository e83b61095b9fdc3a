import { AppError, TransientError } from '../errors.ts'
import type { WireError } from './pglite-protocol.ts'
import { SqlError, UniqueViolation } from './sql.ts'

const UNIQUE_VIOLATION = '23505'
const DISK_FULL = '53100'
/** NUL in text, and a JSON escape that text cannot hold: PostgreSQL stores neither. */
const UNSTORABLE_TEXT = new Set(['22021', '22P05'])
/** Serialization failure, deadlock, lock not available; classes 08 connection, 53 resources, 57P admin shutdown. */
const TRANSIENT = /^(40001|40P01|55P03|08...|53...|57P..)$/

const shortened = (statement: string): string => statement.replaceAll(/\s+/g, ' ').trim().slice(0, 200)

/** PostgreSQL's SQLSTATE classes as the errors of the `Database` port. */
export function translateError(error: WireError, statement: string): Error {
  const cause = new SqlError(`${error.message}${error.detail ? ` (${error.detail})` : ''}${statement ? ` in: ${shortened(statement)}` : ''}`, error)
  if (error.code === UNIQUE_VIOLATION) return new UniqueViolation(error.constraint, { cause })
  if (error.code === DISK_FULL || /no space left on device|ENOSPC/i.test(error.message)) {
    return new AppError('STORAGE_FULL', 'The disk that holds the database is full: free some space and try again', { cause })
  }
  if (UNSTORABLE_TEXT.has(error.code)) {
    return new AppError('INVALID_PARAMETER_VALUE', 'Text contains a NUL or another character that cannot be stored: remove it', { cause })
  }
  if (TRANSIENT.test(error.code)) return new TransientError(error.message, { cause })
  return cause
}
