import { onExperiment, onModel, type ResourcePermission } from '@millrace/platform/access/permission.ts'
import { includes, levelOn, type ResourceKind } from '@millrace/platform/access/rights.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { ok, type RouteResponse } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import type { Caller } from '../access/authenticate.ts'
import { findGrant, type GrantKey } from '../access/grant-store.ts'
import { requireAccount } from '../access/manage-accounts.ts'
import { type AccessDeps, endPersonal, personalLevel, putGrant, requireSharing, resourceOf } from '../access/share.ts'
import { jsonRoute } from './json-route.ts'
import type { LocalRoute } from './local-request.ts'

const text = z.string().min(1).max(256)
const permission = z.enum(['READ', 'USE', 'EDIT', 'MANAGE', 'NO_PERMISSIONS'])
const kinds: Readonly<Record<string, ResourceKind>> = { experiment: 'experiment', registered_model: 'model' }

/** How the two kinds are spelled in paths, fields and answers. */
interface Spelling {
  readonly kind: ResourceKind
  readonly base: string
  readonly field: 'experiment_id' | 'name'
  readonly answer: string
  readonly words: string
  readonly right: ResourcePermission
}

const spellings: readonly Spelling[] = [
  {
    ...{ kind: 'experiment', base: '/api/2.0/mlflow/experiments/permissions', field: 'experiment_id', answer: 'experiment_permission' },
    ...{ words: 'Experiment permission', right: onExperiment('MANAGE', 'grant') },
  },
  {
    ...{ kind: 'model', base: '/api/2.0/mlflow/registered-models/permissions', field: 'name', answer: 'registered_model_permission' },
    ...{ words: 'Registered model permission', right: onModel('MANAGE', 'grant') },
  },
]

/** MLflow's permissions of users on experiments and registered models: the older calls per resource, and the newer ones per user. */
export const mlflowPermissionRoutes = (deps: AccessDeps): LocalRoute[] => [
  ...spellings.flatMap((spelling) => [...readAndCreate(deps, spelling), ...changeAndDelete(deps, spelling)]),
  ...userPermissionRoutes(deps),
]

const keyFor = (kind: ResourceKind, value: string, user: string): GrantKey => ({
  ...{ principalKind: 'user', principal: user, kind, value },
  by: value.includes('*') ? 'pattern' : kind === 'experiment' ? 'id' : 'name',
})

const missing = ({ words, field }: Spelling, value: string, user: string): AppError =>
  new AppError('RESOURCE_DOES_NOT_EXIST', `${words} with ${field}=${value} and username=${user} not found`)

const shared = ({ right }: Spelling) => ({ access: 'read', permission: right, errors: 'mlflow' }) as const
const fieldsOf = ({ field }: Spelling) => z.looseObject({ [field]: text, username: text })

async function save(deps: AccessDeps, caller: Caller, key: GrantKey, level: z.infer<typeof permission>): Promise<void> {
  const before = await findGrant(deps.database, key)
  await putGrant(deps, caller, { ...key, level, promote: before?.promote ?? false })
}

function readAndCreate(deps: AccessDeps, spelling: Spelling): LocalRoute[] {
  const { kind, base, field, answer } = spelling
  const describe = (value: string, user: string, level: string): RouteResponse =>
    ok({ [answer]: { [field]: value, user_id: requireAccount(deps, user).userId, permission: level } })
  return [
    jsonRoute({
      ...{ ...shared(spelling), method: 'GET', path: `${base}/get`, input: fieldsOf(spelling) },
      handle: async (input, { caller }) => {
        const [value, user] = [text.parse(input[field]), text.parse(input['username'])]
        await requireSharing(deps, caller, keyFor(kind, value, user))
        const { name } = requireAccount(deps, user)
        const level = await personalLevel(deps, keyFor(kind, value, name))
        if (level === null) throw missing(spelling, value, user)
        return describe(value, name, level)
      },
    }),
    jsonRoute({
      ...{ ...shared(spelling), method: 'POST', path: `${base}/create`, input: fieldsOf(spelling).extend({ permission }) },
      handle: async (input, { caller }) => {
        const [value, user] = [text.parse(input[field]), text.parse(input['username'])]
        const key = keyFor(kind, value, user)
        await requireSharing(deps, caller, key)
        requireAccount(deps, user)
        if ((await personalLevel(deps, key)) !== null)
          throw new AppError('RESOURCE_ALREADY_EXISTS', `${spelling.words} (${field}=${value}, username=${user}) already exists.`)
        const level = permission.parse(input['permission'])
        await save(deps, caller, key, level)
        return describe(value, user, level)
      },
    }),
  ]
}

function changeAndDelete(deps: AccessDeps, spelling: Spelling): LocalRoute[] {
  const { kind, base, field } = spelling
  const existing = async (caller: Caller, input: Readonly<Record<string, unknown>>): Promise<GrantKey> => {
    const [value, user] = [text.parse(input[field]), text.parse(input['username'])]
    const key = keyFor(kind, value, user)
    await requireSharing(deps, caller, key)
    requireAccount(deps, user)
    if ((await personalLevel(deps, key)) === null) throw missing(spelling, value, user)
    return key
  }
  return [
    jsonRoute({
      ...{ ...shared(spelling), method: 'PATCH', path: `${base}/update`, input: fieldsOf(spelling).extend({ permission }) },
      handle: async (input, { caller }) => {
        await save(deps, caller, await existing(caller, input), permission.parse(input['permission']))
        return ok({})
      },
    }),
    jsonRoute({
      ...{ ...shared(spelling), method: 'DELETE', path: `${base}/delete`, input: fieldsOf(spelling) },
      handle: async (input, { caller }) => {
        await endPersonal(deps, caller, await existing(caller, input))
        return ok({})
      },
    }),
  ]
}

const ofUser = { username: text, resource_type: z.enum(['experiment', 'registered_model']), resource_id: text }

/** Of newer clients: one call for every kind of resource. */
function userPermissionRoutes(deps: AccessDeps): LocalRoute[] {
  const base = '/api/3.0/mlflow/users/permissions'
  const sharing = { access: 'read', permission: onExperiment('MANAGE', 'grant'), errors: 'mlflow' } as const
  const keyOf = ({ username, resource_type: type, resource_id: id }: z.infer<z.ZodObject<typeof ofUser>>) => keyFor(kinds[type] ?? 'model', id, username)
  return [
    jsonRoute({
      ...{ ...sharing, method: 'POST', path: `${base}/grant`, input: z.looseObject({ ...ofUser, permission }) },
      handle: async (input, { caller }) => {
        await requireSharing(deps, caller, keyOf(input))
        requireAccount(deps, input.username)
        await save(deps, caller, keyOf(input), input.permission)
        return ok({})
      },
    }),
    jsonRoute({
      ...{ ...sharing, method: 'POST', path: `${base}/revoke`, input: z.looseObject(ofUser) },
      handle: async (input, { caller }) => {
        await requireSharing(deps, caller, keyOf(input))
        requireAccount(deps, input.username)
        await endPersonal(deps, caller, keyOf(input))
        return ok({})
      },
    }),
    jsonRoute({
      ...{ ...sharing, method: 'GET', path: `${base}/get`, input: z.looseObject(ofUser) },
      handle: async (input, { caller }) => {
        if (caller.user !== input.username) await requireSharing(deps, caller, keyOf(input))
        const { name: user, role } = requireAccount(deps, input.username)
        const resource = resourceOf(deps.owners, keyOf(input)) ?? { kind: keyOf(input).kind, name: '' }
        const level = levelOn({ service: 'gateway', user, role, ...deps.directory.rightsOf({ user, role, groups: [] }) }, resource)
        return ok({ allowed: includes(level, 'USE'), permission: level })
      },
    }),
  ]
}
