import type { Condition } from './parse-filter.ts'
import type { Comparator } from './search-rules.ts'

/** Collects the parameters of one statement; `add` gives the placeholder to put in the text. Nothing that a caller wrote ever enters the text itself. */
export class SqlParameters {
  readonly values: unknown[] = []

  add(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}

const plain: Partial<Record<Comparator, string>> = { '=': '=', '!=': '<>', '>': '>', '>=': '>=', '<': '<', '<=': '<=' }

/**
 * The comparison of an SQL expression with a condition's value. `=` and LIKE tell cases apart, ILIKE does not; `%` and `_` are wildcards and a backslash is
 * an ordinary character.
 */
export function compare(expression: string, condition: Pick<Condition, 'comparator' | 'value'>, parameters: SqlParameters): string {
  const { comparator, value } = condition
  switch (comparator) {
    case 'IS NULL':
      return `${expression} is null`
    case 'IS NOT NULL':
      return `${expression} is not null`
    case 'IN':
      return `${expression} = any(${parameters.add(value)}::text[])`
    case 'NOT IN':
      return `${expression} <> all(${parameters.add(value)}::text[])`
    case 'LIKE':
    case 'ILIKE':
      return `${expression} ${comparator.toLowerCase()} ${parameters.add(value)}::text escape ''`
    default:
      return `${expression} ${plain[comparator]} ${parameters.add(value)}::${typeof value === 'number' ? 'double precision' : 'text'}`
  }
}

/** A table of keys and values that belong to a resource, such as tags: `owner` is its condition that ties a row (alias `kv`) to the resource. */
export interface KeyedTable {
  readonly table: string
  readonly owner: string
  /** Expression of the value; `kv.value` unless told. */
  readonly value?: string
}

/** Semi-join: holds where the resource has the key and its value compares; IS NULL where it lacks the key. Rows of the resource are never duplicated. */
export function compareKeyed(keyed: KeyedTable, condition: Condition, parameters: SqlParameters): string {
  const { comparator } = condition
  const row = `select 1 from ${keyed.table} kv where ${keyed.owner} and kv.key = ${parameters.add(condition.key)}`
  if (comparator === 'IS NULL') return `not exists (${row})`
  if (comparator === 'IS NOT NULL') return `exists (${row})`
  return `exists (${row} and ${compare(keyed.value ?? 'kv.value', condition, parameters)})`
}
