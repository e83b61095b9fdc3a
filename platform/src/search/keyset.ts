import { AppError } from '../errors.ts'
import type { SqlParameters } from './compile-condition.ts'

/**
 * One column that rows are ordered by. Its name and value come back with every row (see `keysetSelection`), so that the last row of a page is the start of the next.
 * `rank` is an SQL expression of whole numbers that is ordered by first and always upwards: 0 for ordinary values, more for what comes last in both directions
 * (NaN, missing). Where it is left out, values are never missing.
 */
export interface SortColumn {
  readonly expression: string
  readonly type: 'text' | 'double precision' | 'bigint'
  readonly ascending: boolean
  readonly rank?: string
}

export const missingLast = (expression: string): string => `case when ${expression} is null then 2 else 0 end`

const collated = (column: SortColumn): string => (column.type === 'text' ? `(${column.expression}) collate "C"` : `(${column.expression})`)

/** The columns to select for `pageToken`: one jsonb array named `sort_key` of rank and value in turn. */
export const keysetSelection = (columns: readonly SortColumn[]): string =>
  `jsonb_build_array(${columns.map((column) => `${column.rank ?? '0'}, ${column.expression}`).join(', ')}) as sort_key`

export const orderClause = (columns: readonly SortColumn[]): string =>
  columns.flatMap((column) => [...(column.rank ? [column.rank] : []), `${collated(column)} ${column.ascending ? 'asc' : 'desc'}`]).join(', ')

export type SortKey = readonly (string | number | null)[]

/** Holds for the rows after `key` in the order of `columns`. */
export function afterClause(columns: readonly SortColumn[], key: SortKey, parameters: SqlParameters): string {
  const equal: string[] = []
  const after: string[] = []
  columns.forEach((column, index) => {
    const value = key[index * 2 + 1] ?? null
    if (column.rank) {
      const rank = `${parameters.add(key[index * 2])}::int`
      after.push([...equal, `${column.rank} > ${rank}`].join(' and '))
      equal.push(`${column.rank} = ${rank}`)
    }
    if (value === null) return
    const placeholder = `${parameters.add(value)}::${column.type}`
    after.push([...equal, `${collated(column)} ${column.ascending ? '>' : '<'} ${placeholder}`].join(' and '))
    equal.push(`${collated(column)} = ${placeholder}`)
  })
  return `(${after.map((clause) => `(${clause})`).join(' or ')})`
}

/** An opaque token that holds the last row's sort key and what the search was bound to. */
export const encodePageToken = (key: SortKey, bound?: Readonly<Record<string, string>>): string =>
  Buffer.from(JSON.stringify(bound ? { key, bound } : { key })).toString('base64url')

export interface PageToken {
  readonly key: SortKey
  readonly bound: Readonly<Record<string, unknown>>
}

/** Reads a token for these columns; `''` and null are the first page. @throws AppError INVALID_PARAMETER_VALUE for a token that is not of this search */
export function decodePageToken(token: string | null | undefined, columns: readonly SortColumn[]): PageToken | null {
  if (!token) return null
  const read = parseToken(token)
  if (read && fits(read.key, columns)) return read
  throw new AppError('INVALID_PARAMETER_VALUE', 'Invalid page token, not one that a search with this order returned: leave it out to start at the first page')
}

function parseToken(token: string): PageToken | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (typeof value !== 'object' || value === null || !('key' in value) || !Array.isArray(value.key)) return null
    const bound = 'bound' in value && typeof value.bound === 'object' && value.bound !== null ? { ...value.bound } : {}
    return { key: value.key.map((item: unknown) => (typeof item === 'string' || typeof item === 'number' ? item : null)), bound }
  } catch {
    return null
  }
}

function fits(key: SortKey, columns: readonly SortColumn[]): boolean {
  if (key.length !== columns.length * 2) return false
  return columns.every((column, index) => {
    const rank = key[index * 2]
    const value = key[index * 2 + 1]
    if (!Number.isInteger(rank) || Math.abs(Number(rank)) > 9) return false
    if (value === null) return column.rank !== undefined
    if (column.type === 'text') return typeof value === 'string' && !value.includes('\0')
    return column.type === 'bigint' ? Number.isSafeInteger(value) : Number.isFinite(value)
  })
}
