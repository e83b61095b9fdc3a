import { AppError } from '@millrace/platform/errors.ts'
import { isLoopback } from '../domain/local-access.ts'

/**
 * Refuses an address that others can reach while anybody would be let in.
 * @throws AppError INVALID_PARAMETER_VALUE in one line
 */
export function assertBindAllowed(host: string, authenticationConfigured: boolean): void {
  if (isLoopback(host) || authenticationConfigured) return
  const remedy = 'set MILLRACE_ADMIN_KEY (32 characters or more), or HOST=127.0.0.1'
  throw new AppError(
    'INVALID_PARAMETER_VALUE',
    `The gateway does not listen on ${host} without authentication, for anybody could then change models: ${remedy}.`,
  )
}
