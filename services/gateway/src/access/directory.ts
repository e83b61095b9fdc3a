import { type Grant, includes, type Level, levelOfRole, type Rights } from '@millrace/platform/access/rights.ts'
import { encodeRights } from '@millrace/platform/access/rights-claim.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Role } from '@millrace/platform/http/identity.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { type Account, listAccounts } from './account-store.ts'
import { createBoundedMap } from './bounded-map.ts'
import { listGrants, listMemberships, type StoredGrant } from './grant-store.ts'
import type { Owners } from './owners.ts'

/** The newest that a user made, in tokens; tracking and registry themselves know of all. */
const OWNED_IN_TOKENS = 100
const REMEMBERED = 10_000

/** Who somebody is, as shown by a key, a password or a token. */
export interface Holder {
  readonly user: string
  readonly role: Role
  readonly groups: readonly string[]
}

export interface KnownRights {
  readonly rights?: Rights
  readonly rightsClaim?: string
}

/** Accounts, groups and grants in memory, so that no request waits for the database. */
export interface Directory {
  /** Empty where the role says it all. @throws AppError PERMISSION_DENIED for more grants than a request can carry */
  rightsOf(holder: Holder): KnownRights
  account(name: string): Account | null
  accounts(): readonly Account[]
  grants(): readonly StoredGrant[]
  /** Whether there is anybody whom the role alone does not describe. */
  isUsed(): boolean
  /** Reads all again: after a change, and now and then because another gateway may have made one. */
  reload(): Promise<void>
  /** To be called when somebody made something. */
  forget(): void
}

const NOTHING: KnownRights = {}

export function createDirectory(deps: { database: Database; defaultPermission: Level | undefined; owners: Owners }): Directory {
  const { database, defaultPermission, owners } = deps
  let accounts: ReadonlyMap<string, Account> = new Map()
  let grants: readonly StoredGrant[] = []
  let groupsOf: ReadonlyMap<string, string[]> = new Map()
  const known = createBoundedMap<KnownRights>(REMEMBERED)

  function compute({ user, role, groups }: Holder): KnownRights {
    if (role === 'admin') return NOTHING
    const fallback = fallbackOf(role, defaultPermission)
    const all = new Set([...groups, ...(groupsOf.get(user) ?? [])])
    const granted = grants.filter((grant) => isFor(grant, user, all)).map((grant) => toGrant(grant, user))
    const owned = fallback === 'MANAGE' ? [] : ownedBy(owners, user, granted)
    if (fallback === levelOfRole[role] && granted.length + owned.length === 0) return NOTHING
    return withClaim(user, { fallback, grants: [...granted, ...owned] }, { fallback, grants: granted })
  }
  return {
    rightsOf(holder) {
      if (holder.role === 'admin') return NOTHING
      const key = holder.groups.length === 0 ? `${holder.role} ${holder.user}` : JSON.stringify([holder.role, holder.user, holder.groups])
      const before = known.get(key)
      if (before) return before
      const rights = compute(holder)
      known.set(key, rights)
      return rights
    },
    account: (name) => accounts.get(name) ?? null,
    accounts: () => [...accounts.values()],
    grants: () => grants,
    isUsed: () => defaultPermission !== undefined || grants.length > 0,
    async reload() {
      const [people, given, members] = [await listAccounts(database), await listGrants(database), await listMemberships(database)]
      accounts = new Map(people.map((account) => [account.name, account]))
      grants = given
      groupsOf = new Map([...Map.groupBy(members, ({ user }) => user)].map(([user, list]) => [user, list.map(({ group }) => group)]))
      known.clear()
    },
    forget: () => known.clear(),
  }
}

/** The lesser of what the role is worth and what the setting gives. */
function fallbackOf(role: Role, setting: Level | undefined): Level {
  const level = levelOfRole[role]
  return setting === undefined || includes(setting, level) ? level : setting
}

const isFor = ({ principalKind, principal }: StoredGrant, user: string, groups: ReadonlySet<string>): boolean =>
  principalKind === 'group' ? groups.has(principal) : principal === user || principal === '*'

const toGrant = ({ kind, by, value, level, promote, principalKind, principal }: StoredGrant, user: string): Grant => {
  return { kind, by, value, level, promote, personal: principalKind === 'user' && principal === user && by !== 'pattern' }
}

function ownedBy(owners: Owners, user: string, granted: readonly Grant[]): Grant[] {
  const spoken = new Set(granted.flatMap(({ personal, kind, value, level }) => (personal && level !== 'INHERIT' ? [`${kind} ${value}`] : [])))
  return owners
    .of(user, OWNED_IN_TOKENS)
    .filter(({ kind, name, id }) => !spoken.has(`${kind} ${name}`) && !spoken.has(`${kind} ${id}`))
    .map(({ kind, name }) => ({ kind, by: 'name', value: name, level: 'MANAGE', promote: false, personal: false }))
}

/** What was granted goes before what was made: of that, the services that keep it know themselves. */
function withClaim(user: string, full: Rights, granted: Rights): KnownRights {
  for (const rights of [full, granted]) {
    const rightsClaim = encodeRights(rights)
    if (rightsClaim !== null) return { rights, rightsClaim }
  }
  throw new AppError(
    'PERMISSION_DENIED',
    `The ${granted.grants.length} grants of '${user}' and of their groups do not fit into a request: ask an administrator to join them by name patterns.`,
  )
}
