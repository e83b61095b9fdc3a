import { AppError } from '../errors.ts'

export type Comparator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN' | 'IS NULL' | 'IS NOT NULL'

export const textual = ['=', '!=', 'LIKE', 'ILIKE'] as const satisfies readonly Comparator[]
export const numeric = ['=', '!=', '>', '>=', '<', '<='] as const satisfies readonly Comparator[]
export const listed = ['IN', 'NOT IN'] as const satisfies readonly Comparator[]
export const presence = ['IS NULL', 'IS NOT NULL'] as const satisfies readonly Comparator[]

/** What may be asked of one field. A field without comparators can only be ordered by. */
export interface FieldRule {
  /** The one name that conditions and order terms carry, whatever spelling the caller chose. On open entities it is ignored: the key is the caller's own. */
  readonly name: string
  readonly value: 'string' | 'number'
  readonly comparators: readonly Comparator[]
  /** A numeric field that also takes its number in quotes. */
  readonly quotedNumber?: boolean
  readonly orderable?: boolean
}

/** `open`: any key (tags, params, metrics). `closed`: the named keys only, by every accepted spelling. */
export type EntityRule =
  | { readonly kind: 'open'; readonly entity: string; readonly field: FieldRule }
  | { readonly kind: 'closed'; readonly entity: string; readonly keys: Readonly<Record<string, FieldRule>> }

/** What one kind of resource can be searched by. */
export interface SearchRules {
  /** Prefixes before the dot, case-sensitive, by every accepted spelling: `tag` and `tags` may lead to the same rule. */
  readonly entities: Readonly<Record<string, EntityRule>>
  /** Names without a prefix. */
  readonly bare: EntityRule & { readonly kind: 'closed' }
  /** Whether `IN ('a',)` is accepted. */
  readonly trailingComma?: boolean
  /** What is said to a list where the field takes none. */
  readonly listRefusal?: string
}

/** A name as the caller wrote it: `metrics.acc` is entity `metrics` and key `acc`; a bare name has no entity. */
export interface Identifier {
  readonly entity: string | null
  readonly key: string
}

export interface ResolvedField {
  readonly entity: string
  readonly key: string
  readonly field: FieldRule
}

export const refuse = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', message)

/** Finds the rule for a name. @throws AppError INVALID_PARAMETER_VALUE that lists the names there are */
export function resolveIdentifier(identifier: Identifier, rules: SearchRules, purpose: 'filter' | 'order'): ResolvedField {
  const rule = identifier.entity === null ? rules.bare : entityRule(identifier.entity, rules)
  if (rule.kind === 'open') {
    if (usable(rule.field, purpose)) return { entity: rule.entity, key: identifier.key, field: rule.field }
    throw refuse(`Invalid order by key '${rule.entity}.${identifier.key}' specified. Valid keys are: ${validKeys(rules.bare.keys, purpose)}`)
  }
  const field = Object.hasOwn(rule.keys, identifier.key) ? rule.keys[identifier.key] : undefined
  if (field && usable(field, purpose)) return { entity: rule.entity, key: field.name, field }
  throw refuse(`Invalid ${rule.entity} key '${identifier.key}' specified. Valid keys are: ${validKeys(rule.keys, purpose)}`)
}

function entityRule(entity: string, rules: SearchRules): EntityRule {
  const rule = Object.hasOwn(rules.entities, entity) ? rules.entities[entity] : undefined
  if (rule) return rule
  throw refuse(`Invalid entity type '${entity}'. Valid entity types are: ${Object.keys(rules.entities).join(', ')}`)
}

const usable = (field: FieldRule, purpose: 'filter' | 'order'): boolean => (purpose === 'filter' ? field.comparators.length > 0 : field.orderable === true)

const validKeys = (keys: Readonly<Record<string, FieldRule>>, purpose: 'filter' | 'order'): string =>
  Object.keys(keys)
    .filter((key) => keys[key] && usable(keys[key], purpose))
    .join(', ')

/** The same field under several spellings. */
export const spellings = (field: FieldRule, ...names: readonly string[]): Record<string, FieldRule> =>
  Object.fromEntries([field.name, ...names].map((name) => [name, field]))
