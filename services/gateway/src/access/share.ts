import { type Level, mayShare, type Resource } from '@millrace/platform/access/rights.ts'
import type { Clock } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Caller } from './authenticate.ts'
import type { Directory } from './directory.ts'
import { countGrants, deleteGrant, findGrant, type GrantKey, type StoredGrant, saveGrant } from './grant-store.ts'
import type { Owners } from './owners.ts'

export interface AccessDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  readonly directory: Directory
  readonly owners: Owners
}

export type NewGrant = Omit<StoredGrant, 'grantId'>

/** As many as travel with every request of whoever has them. */
const MAX_PER_PRINCIPAL = 200

/** The resource that a grant is about, as far as it is known here; null for a pattern. */
export function resourceOf(owners: Owners, { kind, by, value }: Pick<GrantKey, 'kind' | 'by' | 'value'>): Resource | null {
  if (by === 'pattern') return null
  if (by === 'id') return owners.find(kind, { id: value }) ?? { kind, id: value, name: '' }
  return owners.find(kind, { name: value }) ?? { kind, name: value }
}

/**
 * An administrator shares everything, others what they manage by name; the right to promote is an administrator's to give.
 * @throws AppError PERMISSION_DENIED
 */
export async function requireSharing(
  { owners }: AccessDeps,
  caller: Caller,
  grant: Pick<NewGrant, 'kind' | 'by' | 'value'> & { promote?: boolean },
): Promise<void> {
  if (caller.role === 'admin') return
  const who = { ...caller, service: 'gateway' }
  // Who has just made something is known once the services are asked.
  await owners.refresh()
  const resource = resourceOf(owners, grant)
  if (resource && mayShare(who, resource) && !grant.promote) return
  const cure = grant.promote ? 'the right to promote is given by administrators' : 'that takes MANAGE on it, or the role admin'
  throw new AppError('PERMISSION_DENIED', `'${caller.user}' may not say who may use this ${grant.kind}: ${cure}.`)
}

/** @throws AppError RESOURCE_LIMIT_EXCEEDED */
export async function putGrant(deps: AccessDeps, caller: Caller, grant: NewGrant): Promise<StoredGrant> {
  const { database, clock, directory, log } = deps
  const held = await countGrants(database, grant.principalKind, grant.principal)
  if (held >= MAX_PER_PRINCIPAL && !(await findGrant(database, grant))) {
    throw new AppError(
      'INVALID_PARAMETER_VALUE',
      `The ${grant.principalKind} '${grant.principal}' has ${held} grants, the most there can be: join some by a name pattern.`,
    )
  }
  const saved = await saveGrant(database, grant, caller.user, clock())
  await directory.reload()
  const { principalKind, principal, kind, value, level, promote } = saved
  log.info('access granted', { principalKind, principal, resource: kind, value, level, promote, by: caller.user })
  return saved
}

export async function removeGrant({ database, directory, log }: AccessDeps, caller: Caller, grantId: number): Promise<boolean> {
  const removed = await deleteGrant(database, grantId)
  await directory.reload()
  if (removed) log.info('grant taken back', { grantId, by: caller.user })
  return removed
}

/** What a user has on one resource by a grant of their own, or for having made it; null for neither. */
export async function personalLevel({ database, owners }: AccessDeps, key: GrantKey): Promise<Level | null> {
  const grant = await findGrant(database, key)
  if (grant?.level === 'DISOWNED') return null
  if (grant && grant.level !== 'INHERIT') return grant.level
  const resource = resourceOf(owners, key)
  return resource?.owner === key.principal ? 'MANAGE' : null
}

/** Ends what `personalLevel` tells; ownership by a note that it no longer counts. */
export async function endPersonal(deps: AccessDeps, caller: Caller, key: GrantKey): Promise<void> {
  const grant = await findGrant(deps.database, key)
  if (resourceOf(deps.owners, key)?.owner === key.principal) await putGrant(deps, caller, { ...key, level: 'DISOWNED', promote: false })
  else if (grant) await removeGrant(deps, caller, grant.grantId)
}
