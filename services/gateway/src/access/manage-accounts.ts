import { AppError } from '@millrace/platform/errors.ts'
import type { Role } from '@millrace/platform/http/identity.ts'
import { isReserved } from '../domain/reserved-names.ts'
import { type Account, deleteAccount, insertAccount, saveAccount } from './account-store.ts'
import type { Caller } from './authenticate.ts'
import { checkPassword, hashPassword } from './password.ts'
import type { AccessDeps } from './share.ts'

/** As the reference server asks for. */
const MIN_PASSWORD = 12
const MAX_PASSWORD = 1024

export const userMissing = (name: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', `User with username=${name} not found`)

/** @throws AppError RESOURCE_DOES_NOT_EXIST */
export function requireAccount({ directory }: AccessDeps, name: string): Account {
  const account = directory.account(name)
  if (!account) throw userMissing(name)
  return account
}

function checkNew(password: string): void {
  if (password.length >= MIN_PASSWORD && password.length <= MAX_PASSWORD) return
  throw new AppError('INVALID_PARAMETER_VALUE', `Password must be a string of ${MIN_PASSWORD} to ${MAX_PASSWORD} characters.`)
}

/** @throws AppError INVALID_PARAMETER_VALUE, RESOURCE_ALREADY_EXISTS */
export async function createAccount(
  deps: AccessDeps,
  caller: Caller,
  { name, password, role }: { name: string; password: string; role: Role },
): Promise<Account> {
  if (isReserved(name) || /[:\p{Cc}]/u.test(name))
    throw new AppError('INVALID_PARAMETER_VALUE', `The user name ${JSON.stringify(name)} cannot be had: choose another, without ':'.`)
  checkNew(password)
  const account = await insertAccount(deps.database, { name, role, passwordHash: await hashPassword(password) }, deps.clock())
  if (!account) throw new AppError('RESOURCE_ALREADY_EXISTS', `User (username=${name}) already exists.`)
  await deps.directory.reload()
  deps.log.info('account created', { name, role, by: caller.user })
  return account
}

/** One's own password takes the current one, so that an unattended session is not enough. @throws AppError PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST */
export async function changePassword(deps: AccessDeps, caller: Caller, change: { name: string; password: string; current: string | null }): Promise<void> {
  const { name, password, current } = change
  if (caller.user !== name && caller.role !== 'admin') throw new AppError('PERMISSION_DENIED', 'Permission denied')
  const account = requireAccount(deps, name)
  checkNew(password)
  if (caller.user === name && !(await checkPassword(current ?? '', account.passwordHash)))
    throw new AppError('PERMISSION_DENIED', 'The current password is missing or wrong: send it as current_password.')
  await saveAccount(deps.database, { ...account, passwordHash: await hashPassword(password) }, deps.clock())
  await deps.directory.reload()
  deps.log.info('password changed', { name, by: caller.user })
}

export async function changeRole(deps: AccessDeps, caller: Caller, name: string, role: Role): Promise<void> {
  await saveAccount(deps.database, { ...requireAccount(deps, name), role }, deps.clock())
  await deps.directory.reload()
  deps.log.info('role of an account changed', { name, role, by: caller.user })
}

export async function removeAccount(deps: AccessDeps, caller: Caller, name: string): Promise<void> {
  requireAccount(deps, name)
  await deps.database.transaction((tx) => deleteAccount(tx, name))
  await deps.directory.reload()
  deps.log.info('account deleted', { name, by: caller.user })
}
