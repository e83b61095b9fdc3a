import { type Comparator, type FieldRule, refuse, type SearchRules } from './search-rules.ts'
import type { TokenReader } from './token-reader.ts'
import type { Token } from './tokenize.ts'

const OPERATORS: readonly string[] = ['=', '!=', '>', '>=', '<', '<='] satisfies readonly Comparator[]
const isOperator = (text: string): text is Comparator => OPERATORS.includes(text)

/** Reads what stands after `name`. @throws AppError INVALID_PARAMETER_VALUE for what is no comparator */
export function readComparator(reader: TokenReader, name: string): Comparator {
  const token = reader.next()
  if (token === null) throw refuse(`Invalid clause(s) in filter string: '${name}' is compared with nothing`)
  if (token.kind === 'operator' && isOperator(token.text)) return token.text
  if (token.kind === 'operator') throw invalidComparator(token.text)
  if (token.kind === 'word') return readWordComparator(reader, token.text)
  throw refuse(`Invalid clause(s) in filter string: '${name} ${token.text}'. Expected a comparator after '${name}'`)
}

function readWordComparator(reader: TokenReader, text: string): Comparator {
  const word = text.toUpperCase()
  if (word === 'LIKE' || word === 'ILIKE' || word === 'IN') return word
  if (word === 'NOT') {
    if (reader.takeWord('IN')) return 'NOT IN'
    throw invalidComparator(`NOT ${reader.peek()?.text ?? ''}`.trim())
  }
  if (word !== 'IS') throw refuse(`Invalid clause(s) in filter string: '${text}'`)
  const comparator = reader.takeWord('NOT') ? 'IS NOT NULL' : 'IS NULL'
  if (reader.takeWord('NULL')) return comparator
  throw invalidComparator(`${comparator.slice(0, -5)} ${reader.peek()?.text ?? ''}`.trim())
}

const invalidComparator = (text: string, valid: readonly string[] = [...OPERATORS, 'LIKE', 'ILIKE', 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL']): Error =>
  refuse(`Invalid comparator '${text}' not one of ${valid.map((comparator) => `'${comparator}'`).join(', ')}`)

interface Comparison {
  readonly entity: string
  readonly key: string
  readonly field: FieldRule
  readonly comparator: Comparator
  readonly rules: SearchRules
}

/** Reads the value that the comparator and the field ask for. @throws AppError INVALID_PARAMETER_VALUE for any other */
export function readValue(reader: TokenReader, comparison: Comparison): string | number | readonly string[] | null {
  const { comparator, field, rules } = comparison
  const isList = comparator === 'IN' || comparator === 'NOT IN'
  if (!field.comparators.includes(comparator)) {
    throw isList && rules.listRefusal ? refuse(rules.listRefusal) : invalidComparator(comparator, field.comparators)
  }
  if (comparator === 'IS NULL' || comparator === 'IS NOT NULL') return null
  if (isList) return readList(reader, rules.trailingComma === true)
  return field.value === 'number' ? readNumber(reader.next(), comparison) : readString(reader.next(), comparison)
}

function readNumber(token: Token | null, { entity, key, field }: Comparison): number {
  if (token?.kind === 'number' && Number.isFinite(token.value)) return token.value
  if (field.quotedNumber && token?.kind === 'quoted' && /^-?\d{1,15}(\.\d+)?$/.test(token.value)) return Number(token.value)
  throw refuse(`Expected numeric value type for ${entity} '${key}'. Found ${show(token)}: write an unquoted number such as 0.5`)
}

function readString(token: Token | null, { entity, key }: Comparison): string {
  if (token?.kind === 'quoted' && token.quote !== '`') return token.value
  if (token?.kind === 'number') throw refuse(`Expected a quoted string value for ${entity} '${key}' (e.g. 'my-value'). Got value ${token.text}`)
  throw refuse(`Parameter value is either not quoted or unidentified quote types used for string value ${show(token)}. Use either single or double quotes.`)
}

const show = (token: Token | null): string => token?.text ?? 'nothing'

const WRONG_LIST = 'While parsing a list in the query,'

function readList(reader: TokenReader, trailingComma: boolean): string[] {
  if (!reader.takeMark('(')) throw refuse(`${WRONG_LIST} expected a list such as ('a', 'b'), but got ${show(reader.peek())}`)
  if (reader.takeMark(')')) throw refuse(`${WRONG_LIST} expected a non-empty list of string values, but got empty list`)
  const values: string[] = []
  do {
    if (trailingComma && values.length > 0 && reader.takeMark(')')) return values
    values.push(readListItem(reader.next()))
  } while (reader.takeMark(','))
  if (!reader.takeMark(')')) throw refuse(`${WRONG_LIST} expected ',' or ')', but got ${show(reader.peek())}`)
  return values
}

function readListItem(token: Token | null): string {
  if (token?.kind === 'quoted' && token.quote !== '`') return token.value
  if (token === null || token.kind === 'punctuation') throw refuse(`${WRONG_LIST} expected a non-empty list of string values, but got ill-formed list`)
  throw refuse(`${WRONG_LIST} expected string value, punctuation, or whitespace, but got different type in list: ${token.text}`)
}
