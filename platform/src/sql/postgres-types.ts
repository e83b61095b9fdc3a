import { types } from 'pg'

/** Object ids of `pg_type`, fixed since PostgreSQL 8. */
const INT8 = 20
const INT8_ARRAY = 1016
const NUMERIC = 1700
const NUMERIC_ARRAY = 1231
const TEXT_ARRAY: number = 1009

type Parse = (text: string) => unknown

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 value ${text} is beyond 2^53 and cannot be read as a number: select it as text`)
  return value
}

/** Quoting, nulls and nested arrays are the driver's business. */
const parseTextArray = (text: string): unknown => types.getTypeParser(TEXT_ARRAY)(text)

function parseInt8Array(text: string): unknown {
  const convert = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(convert)
    return typeof item === 'string' ? parseInt8(item) : item
  }
  return convert(parseTextArray(text))
}

const parsers = new Map<number, Parse>([
  [INT8, parseInt8],
  [INT8_ARRAY, parseInt8Array],
  [NUMERIC, (text) => text],
  [NUMERIC_ARRAY, parseTextArray],
])

/** The values that the `Sql` port promises, whatever the driver's own defaults are (int8 as text, numeric arrays as doubles). */
export const postgresTypes = {
  getTypeParser: (oid: number): Parse => parsers.get(oid) ?? types.getTypeParser(oid),
}
