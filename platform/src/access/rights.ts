import type { Caller, Role } from '../http/identity.ts'

/** MLflow's ladder in ascending order: each level includes those before it. */
export const levels = ['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'] as const
export type Level = (typeof levels)[number]

/**
 * What a route needs on a resource: a level of the ladder; `CREATE`, to make one of this name; `PROMOTE`, to change what a model serves, a right of its own
 * that no level includes.
 */
export type Need = Exclude<Level, 'NO_PERMISSIONS'> | 'CREATE' | 'PROMOTE'

export type ResourceKind = 'experiment' | 'model'

export interface Resource {
  readonly kind: ResourceKind
  readonly name: string
  /** Of an experiment. */
  readonly id?: string
  /** Name of the user who made it, who may manage it; unknown where left out. */
  readonly owner?: string | null
}

/** `INHERIT`: says nothing about the level, only about promotion. `DISOWNED`: takes the creator's own right away. */
export type GrantLevel = Level | 'INHERIT' | 'DISOWNED'

export interface Grant {
  readonly kind: ResourceKind
  /** `pattern`: a name in which `*` stands for any characters. */
  readonly by: 'id' | 'name' | 'pattern'
  readonly value: string
  readonly level: GrantLevel
  readonly promote: boolean
  /** Made for this very user and this very resource: stands above patterns, groups and the creator's own right. */
  readonly personal: boolean
}

/** What a user may do beside what the role says. */
export interface Rights {
  /** On whatever no grant names. */
  readonly fallback: Level
  readonly grants: readonly Grant[]
}

type Who = Pick<Caller, 'service' | 'user' | 'role' | 'rights'>

/** What a role alone is worth on every resource. */
export const levelOfRole: Readonly<Record<Role, Level>> = { viewer: 'READ', user: 'USE', editor: 'MANAGE', promoter: 'MANAGE', admin: 'MANAGE' }

export const includes = (level: Level, needed: Level): boolean => levels.indexOf(level) >= levels.indexOf(needed)
const greatest = (found: readonly Level[]): Level => found.reduce((best, level) => (includes(level, best) ? level : best), 'NO_PERMISSIONS')
const isLevel = (level: GrantLevel): level is Level => level !== 'INHERIT' && level !== 'DISOWNED'

/** Administrators, and services that call for themselves: no grant holds them back. */
const isUnbound = (who: Who): boolean => who.role === 'admin' || (who.service !== '' && who.user === who.service)
const rightsOf = ({ rights, role }: Who): Rights => rights ?? { fallback: levelOfRole[role], grants: [] }

/** Whether `pattern`, in which `*` stands for any characters, is the whole of `name`. Linear: a pattern comes from users. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  const tail = rest.pop()
  if (tail === undefined) return pattern === name
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false
  let from = head.length
  const end = name.length - tail.length
  for (const part of rest) {
    const at = name.indexOf(part, from)
    if (at < 0 || at + part.length > end) return false
    from = at + part.length
  }
  return true
}

function applies(grant: Grant, { kind, name, id }: Resource): boolean {
  if (grant.kind !== kind) return false
  if (grant.by === 'id') return grant.value === id
  return grant.by === 'name' ? grant.value === name : matchesPattern(grant.value, name)
}

interface Standing {
  /** Null where no grant and no ownership says anything. */
  readonly named: Level | null
  readonly promote: boolean
}

function standingOn(who: Who, resource: Resource): Standing {
  const grants = rightsOf(who).grants.filter((grant) => applies(grant, resource))
  const promote = who.role === 'promoter' || grants.some((grant) => grant.promote)
  const personal = grants.flatMap(({ personal: own, level }) => (own && isLevel(level) ? [level] : []))
  if (personal.length > 0) return { named: greatest(personal), promote }
  const owned = resource.owner === who.user && !grants.some(({ level }) => level === 'DISOWNED')
  const found: Level[] = [...grants.map(({ level }) => level).filter(isLevel), ...(owned ? (['MANAGE'] as const) : [])]
  return { named: found.length > 0 ? greatest(found) : null, promote }
}

/** The level that a caller has on a resource. Grants replace what the role says, they do not add to it: so a grant of NO_PERMISSIONS hides. */
export const levelOn = (who: Who, resource: Resource): Level => (isUnbound(who) ? 'MANAGE' : (standingOn(who, resource).named ?? rightsOf(who).fallback))

/** Whether a caller has the right to promote, which no level includes; that the resource may be read is another question. */
export const holdsPromotion = (who: Who, resource: Resource): boolean => isUnbound(who) || standingOn(who, resource).promote

/** Whether a caller may say who else may do what to a resource: that takes more than a role that is worth something everywhere. */
export const mayShare = (who: Who, resource: Resource): boolean => isUnbound(who) || standingOn(who, resource).named === 'MANAGE'

const mayCreateAnything = ({ role }: Who): boolean => role === 'editor' || role === 'promoter'

/** Whether a caller has on a resource what is needed. */
export function mayOn(who: Who, need: Need, resource: Resource): boolean {
  if (isUnbound(who)) return true
  const { named, promote } = standingOn(who, resource)
  const level = named ?? rightsOf(who).fallback
  if (need === 'PROMOTE') return promote && includes(level, 'READ')
  if (need === 'CREATE') return named === null ? mayCreateAnything(who) : includes(named, 'EDIT')
  return includes(level, need)
}

/** Whether a caller has what is needed on every resource, whatever its name, so that none need be looked up. */
export function mayEverywhere(who: Who, need: Need): boolean {
  if (isUnbound(who)) return true
  const { fallback, grants } = rightsOf(who)
  const holdsAll = (level: Level): boolean => grants.every((grant) => !isLevel(grant.level) || includes(grant.level, level))
  if (need === 'PROMOTE') return who.role === 'promoter' && includes(fallback, 'READ') && holdsAll('READ')
  if (need === 'CREATE') return mayCreateAnything(who) && holdsAll('EDIT')
  return includes(fallback, need) && holdsAll(need)
}
