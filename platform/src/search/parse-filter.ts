import { readComparator, readValue } from './parse-comparison.ts'
import { type Comparator, type Identifier, refuse, resolveIdentifier, type SearchRules } from './search-rules.ts'
import { TokenReader } from './token-reader.ts'
import { type Token, tokenize } from './tokenize.ts'

/** One comparison of a filter; all of a filter's conditions hold together. `entity` and `key` are the rules' own names. */
export interface Condition {
  readonly entity: string
  readonly key: string
  readonly comparator: Comparator
  /** Null for IS NULL and IS NOT NULL, a list for IN and NOT IN. */
  readonly value: string | number | readonly string[] | null
}

const MAX_CONDITIONS = 100

/**
 * Reads a filter of MLflow's search grammar: comparisons joined by AND. Linear in the length of the text, without side effects; `''` is no filter.
 * @throws AppError INVALID_PARAMETER_VALUE in MLflow's words for every text that is not of the grammar or asks what `rules` do not allow
 */
export function parseFilter(text: string, rules: SearchRules): Condition[] {
  if (text === '') return []
  const reader = new TokenReader(tokenize(text))
  if (reader.peek() === null)
    throw refuse(`Invalid filter '${text}'. Could not be parsed: it holds nothing but spaces. Leave it out to search without a filter`)
  refuseSecondStatement(reader)
  const conditions = [readCondition(reader, rules)]
  for (let token = reader.next(); token !== null; token = reader.next()) {
    if (token.kind !== 'word' || token.text.toUpperCase() !== 'AND') throw invalidClause(token)
    conditions.push(readCondition(reader, rules))
    if (conditions.length > MAX_CONDITIONS) throw refuse(`The filter has more than ${MAX_CONDITIONS} comparisons`)
  }
  return conditions
}

const invalidClause = (token: Token): Error =>
  refuse(
    `Invalid clause(s) in filter string: '${token.text}'. Expected comparisons such as params.name = 'value' joined by AND; names with other characters than letters, digits, '_' and '.' go in backticks`,
  )

function refuseSecondStatement(reader: TokenReader): void {
  const semicolon = reader.indexOf(';')
  if (semicolon >= 0 && semicolon < reader.length - 1)
    throw refuse('Search filter contained multiple expressions separated by ";". Provide exactly one, joined by AND')
}

function readCondition(reader: TokenReader, rules: SearchRules): Condition {
  const { identifier, text } = readIdentifier(reader.next())
  const { entity, key, field } = resolveIdentifier(identifier, rules, 'filter')
  const comparator = readComparator(reader, text)
  const value = readValue(reader, { entity, key, field, comparator, rules })
  return { entity, key, comparator, value }
}

const KEYWORDS = ['AND', 'OR', 'NOT', 'BETWEEN', 'IN', 'LIKE', 'ILIKE', 'IS']

function readIdentifier(token: Token | null): { identifier: Identifier; text: string } {
  if (token === null) throw refuse("Invalid clause(s) in filter string: expected a comparison after 'AND'")
  const { text } = token
  if (token.kind === 'dotted') return { identifier: token.identifier, text }
  if (token.kind === 'word' && !KEYWORDS.includes(text.toUpperCase())) return { identifier: { entity: null, key: text }, text }
  if (token.kind === 'quoted' && token.quote !== "'") return { identifier: { entity: null, key: token.value }, text }
  if (token.kind === 'number' || token.kind === 'quoted') throw refuse(`Expected 'Identifier' found '${text}': the name stands left of the comparator`)
  throw invalidClause(token)
}
