import { grantRequest, grants, groupRequest, groups, whoami } from '@millrace/contracts/http/access.ts'
import { onExperiment } from '@millrace/platform/access/permission.ts'
import { levelOfRole } from '@millrace/platform/access/rights.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { created, noContent, ok } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { type GrantKey, listMemberships, type StoredGrant, saveMembers } from '../access/grant-store.ts'
import { type AccessDeps, putGrant, removeGrant, requireSharing } from '../access/share.ts'
import { jsonRoute } from './json-route.ts'
import type { LocalRoute } from './local-request.ts'

const BASE = '/api/v1/access'
const nothing = z.looseObject({})
/** Who manages a resource shares it; the handler looks at which one it is. */
const sharing = { access: 'read', permission: onExperiment('MANAGE', 'grant') } as const
const admin = { access: 'admin', permission: 'admin' } as const

/** Grants and groups, in Millrace's own words. */
export const accessRoutes = (deps: AccessDeps): LocalRoute[] => [...grantRoutes(deps), ...groupRoutes(deps), whoamiRoute()]

const grantRoutes = (deps: AccessDeps): LocalRoute[] => [
  jsonRoute({
    ...{ ...sharing, method: 'POST', path: `${BASE}/grants`, input: grantRequest },
    handle: async (input, { caller }) => {
      const grant = { ...keyOf(input), level: input.permission ?? 'INHERIT', promote: input.promote } as const
      await requireSharing(deps, caller, grant)
      return created(shown(await putGrant(deps, caller, grant)))
    },
  }),
  jsonRoute({
    ...{ ...admin, method: 'GET', path: `${BASE}/grants`, input: nothing },
    handle: async () => ok(grants.parse({ grants: deps.directory.grants().map(shown) })),
  }),
  jsonRoute({
    ...{ ...sharing, method: 'DELETE', path: `${BASE}/grants/`, input: nothing },
    handle: async (_input, { caller, last }) => {
      const grant = deps.directory.grants().find(({ grantId }) => String(grantId) === last)
      if (!grant) throw new AppError('RESOURCE_DOES_NOT_EXIST', `There is no grant ${JSON.stringify(last)}.`)
      await requireSharing(deps, caller, grant)
      await removeGrant(deps, caller, grant.grantId)
      return noContent
    },
  }),
]

function keyOf({ user, group, resource, id, name, pattern }: z.infer<typeof grantRequest>): GrantKey {
  const [by, value] = id !== undefined ? (['id', id] as const) : name !== undefined ? (['name', name] as const) : (['pattern', pattern ?? ''] as const)
  return { principalKind: group === undefined ? 'user' : 'group', principal: group ?? user ?? '', kind: resource, by, value }
}

const shown = ({ grantId, principalKind, principal, kind, by, value, level, promote }: StoredGrant) => ({
  grantId,
  [principalKind]: principal,
  resource: kind,
  [by]: value,
  permission: level === 'INHERIT' ? null : level === 'DISOWNED' ? 'NO_PERMISSIONS' : level,
  promote,
})

const groupRoutes = ({ database, directory, log }: AccessDeps): LocalRoute[] => [
  jsonRoute({
    ...{ ...admin, method: 'GET', path: `${BASE}/groups`, input: nothing },
    handle: async () => {
      const members = Map.groupBy(await listMemberships(database), ({ group }) => group)
      return ok(groups.parse({ groups: [...members].map(([group, list]) => ({ group, members: list.map(({ user }) => user) })) }))
    },
  }),
  jsonRoute({
    ...{ ...admin, method: 'PUT', path: `${BASE}/groups/`, input: groupRequest },
    handle: async ({ members }, { caller, last }) => {
      await database.transaction((tx) => saveMembers(tx, last, members))
      await directory.reload()
      log.info('group changed', { group: last, members: members.length, by: caller.user })
      return ok({ group: last, members: [...new Set(members)] })
    },
  }),
]

/** Where somebody wonders why a request was refused. */
const whoamiRoute = (): LocalRoute =>
  jsonRoute({
    ...{ method: 'GET', path: `${BASE}/me`, access: 'read', permission: 'caller', input: nothing },
    handle: async (_input, { caller: { user, role, rights } }) => {
      const held = (rights?.grants ?? []).map(({ kind, by, value, level, promote }) => ({ resource: kind, [by]: value, permission: level, promote }))
      return ok(whoami.parse({ user, role, fallback: rights?.fallback ?? levelOfRole[role], grants: held }))
    },
  })
