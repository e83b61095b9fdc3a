import { AppError } from '@millrace/platform/errors.ts'
import { roles } from '@millrace/platform/http/identity.ts'
import { ok } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import type { Account } from '../access/account-store.ts'
import type { Caller } from '../access/authenticate.ts'
import { changePassword, changeRole, createAccount, removeAccount, requireAccount } from '../access/manage-accounts.ts'
import type { AccessDeps } from '../access/share.ts'
import { jsonRoute } from './json-route.ts'
import type { LocalRoute } from './local-request.ts'

const BASE = '/api/2.0/mlflow/users'
const text = z.string().min(1).max(256)
const named = z.looseObject({ username: text })
const admin = { access: 'admin', permission: 'admin', errors: 'mlflow' } as const
const anyone = { access: 'read', permission: 'caller', errors: 'mlflow' } as const
/** Role of an account that is not told one: what such users may do where is the grants' and the default permission's to say. */
const DEFAULT_ROLE = 'editor'

/** MLflow's `users/…`, as its AuthServiceClient calls them: accounts with a password. */
export const mlflowUserRoutes = (deps: AccessDeps): LocalRoute[] => [...manageRoutes(deps), ...ownRoutes(deps)]

const manageRoutes = (deps: AccessDeps): LocalRoute[] => [
  jsonRoute({
    ...{ ...admin, method: 'POST', path: `${BASE}/create` },
    input: z.looseObject({ username: text, password: z.string(), role: z.enum(roles).default(DEFAULT_ROLE) }),
    handle: async ({ username: name, password, role }, { caller }) =>
      ok({ user: { ...userJson(await createAccount(deps, caller, { name, password, role })), experiment_permissions: [], registered_model_permissions: [] } }),
  }),
  jsonRoute({
    ...{ ...admin, method: 'PATCH', path: `${BASE}/update-admin`, input: z.looseObject({ username: text, is_admin: z.boolean() }) },
    handle: async ({ username, is_admin }, { caller }) => {
      await changeRole(deps, caller, username, is_admin ? 'admin' : DEFAULT_ROLE)
      return ok({})
    },
  }),
  jsonRoute({
    ...{ ...admin, method: 'DELETE', path: `${BASE}/delete`, input: named },
    handle: async ({ username }, { caller }) => {
      await removeAccount(deps, caller, username)
      return ok({})
    },
  }),
  jsonRoute({
    ...{ ...admin, method: 'GET', path: `${BASE}/list`, input: z.looseObject({}) },
    handle: async () => ok({ users: deps.directory.accounts().map(userJson) }),
  }),
]

const ownRoutes = (deps: AccessDeps): LocalRoute[] => [
  jsonRoute({
    ...{ ...anyone, method: 'GET', path: `${BASE}/get`, input: named },
    handle: async ({ username }, { caller }) => {
      requireSelf(caller, username)
      const user = requireAccount(deps, username)
      return ok({ user: { ...userJson(user), ...permissionsOf(deps, user) } })
    },
  }),
  jsonRoute({
    ...{ ...anyone, method: 'GET', path: `${BASE}/current`, input: z.looseObject({}) },
    handle: async (_input, { caller }) => {
      const account = deps.directory.account(caller.user)
      return ok({ user: { id: account?.userId ?? 0, username: caller.user, is_admin: caller.role === 'admin' }, is_basic_auth: account !== null })
    },
  }),
  jsonRoute({
    ...{ ...anyone, method: 'PATCH', path: `${BASE}/update-password` },
    input: z.looseObject({ username: text, password: z.string(), current_password: z.string().nullish() }),
    handle: async ({ username: name, password, current_password: current = null }, { caller }) => {
      await changePassword(deps, caller, { name, password, current })
      return ok({})
    },
  }),
]

function requireSelf(caller: Caller, name: string): void {
  if (caller.user !== name && caller.role !== 'admin') throw new AppError('PERMISSION_DENIED', 'Permission denied')
}

const userJson = ({ userId, name, role }: Account) => ({ id: userId, username: name, is_admin: role === 'admin' })

function permissionsOf({ directory }: AccessDeps, { userId: user_id, name: user }: Account) {
  const own = directory.grants().filter(({ principalKind, principal, level }) => principalKind === 'user' && principal === user && level !== 'INHERIT')
  return {
    experiment_permissions: own.flatMap(({ by, value, level }) => (by === 'id' ? [{ experiment_id: value, user_id, permission: level }] : [])),
    registered_model_permissions: own.flatMap(({ kind, by, value, level }) =>
      kind === 'model' && by === 'name' ? [{ name: value, user_id, permission: level }] : [],
    ),
  }
}
