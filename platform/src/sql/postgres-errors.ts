import { DatabaseError } from 'pg'
import { AppError, messageOf, TransientError } from '../errors.ts'
import { translateError } from './sql-errors.ts'

/** Statement timeout: the server cancelled it. */
const QUERY_CANCELED = '57014'
/** Wrong password, a user that may not log in, a database that does not exist, a missing right: waiting mends none of them. */
const REFUSED = /^(28...|3D000|42501)$/

/** A fault of what is asked (a value that cannot be read, a wrong argument), not of the connection. */
const isOwnFault = (error: unknown): boolean => error instanceof RangeError || error instanceof TypeError

/** A table changed under a prepared statement (a migration by another process): a new connection prepares it anew. */
const isStalePlan = (error: DatabaseError): boolean => error.code === '0A000' && /cached plan/.test(error.message)

/** True when the connection cannot be used again: everything but an answer to a statement. */
export const isConnectionLost = (error: unknown): boolean =>
  error instanceof DatabaseError ? error.severity === 'FATAL' || error.severity === 'PANIC' || isStalePlan(error) : !isOwnFault(error)

const wireError = (error: Error | DatabaseError) => ({
  message: error.message,
  code: (error instanceof DatabaseError && error.code) || '',
  constraint: (error instanceof DatabaseError && error.constraint) || '',
  detail: (error instanceof DatabaseError && error.detail) || '',
})

/** What the driver throws, as the errors of the `Database` port: a lost connection and a timeout are `TransientError`, since the same call may succeed later. */
export function explainPostgresError(error: unknown, statement: string): Error {
  if (error instanceof DatabaseError && error.code !== QUERY_CANCELED && !isStalePlan(error)) return translateError(wireError(error), statement)
  if (error instanceof Error && isOwnFault(error)) return translateError(wireError(error), statement)
  return new TransientError(`PostgreSQL: ${messageOf(error)}`, { cause: error })
}

/** Why a database could not be opened; the address is named without its password. */
export function explainOpenFailure(error: unknown, where: string): Error {
  if (error instanceof DatabaseError && REFUSED.test(error.code ?? '')) {
    return new AppError('PERMISSION_DENIED', `PostgreSQL at ${where} refuses: ${error.message}. Check user, password, database name and rights`, {
      cause: error,
    })
  }
  return new TransientError(`PostgreSQL at ${where} does not answer: ${messageOf(error)}`, { cause: error })
}
