import { type ResolvedField, refuse, resolveIdentifier, type SearchRules } from './search-rules.ts'
import { TokenReader } from './token-reader.ts'
import { tokenize } from './tokenize.ts'

/** Each name that is not a column of its own costs a join, and a page token holds the value of every one. */
export const MAX_ORDER_TERMS = 20

export interface OrderTerm extends ResolvedField {
  readonly ascending: boolean
}

/**
 * Reads one `order_by` clause: a name and, in any case, ASC (the default) or DESC.
 * @throws AppError INVALID_PARAMETER_VALUE in MLflow's words
 */
export function parseOrder(clause: string, rules: SearchRules): OrderTerm {
  const reader = new TokenReader(tokenize(clause))
  const token = reader.next()
  const ascending = !reader.takeWord('DESC')
  if (ascending) reader.takeWord('ASC')
  if (token === null || reader.peek() !== null) throw refuse(`Invalid order_by clause '${clause}'. Could not be parsed: expected a name and ASC or DESC`)
  if (token.kind === 'dotted') return { ...resolveIdentifier(token.identifier, rules, 'order'), ascending }
  if (token.kind === 'word') return { ...resolveIdentifier({ entity: null, key: token.text }, rules, 'order'), ascending }
  if (token.kind === 'quoted' && token.quote !== "'") return { ...resolveIdentifier({ entity: null, key: token.value }, rules, 'order'), ascending }
  throw refuse(`Invalid order_by clause '${clause}'. Invalid ordering key '${token.text}': expected a name such as metrics.accuracy`)
}

/** Reads all clauses; a name may stand in one of them only. @throws AppError INVALID_PARAMETER_VALUE */
export function parseOrderBy(clauses: readonly string[], rules: SearchRules): OrderTerm[] {
  if (clauses.length > MAX_ORDER_TERMS) throw refuse(`\`order_by\` has ${clauses.length} clauses; at most ${MAX_ORDER_TERMS} are allowed`)
  const terms = clauses.map((clause) => parseOrder(clause, rules))
  const names = terms.map((term) => `${term.entity}.${term.key}`)
  const repeated = names.filter((name, index) => names.indexOf(name) !== index)
  if (repeated.length > 0) throw refuse(`\`order_by\` contains duplicate fields: ${[...new Set(repeated)].join(', ')}`)
  return terms
}
