import type { SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import { missingLast, type SortColumn } from '@millrace/platform/search/keyset.ts'
import type { OrderTerm } from '@millrace/platform/search/parse-order.ts'

const tables: Readonly<Record<string, string>> = { metric: 'metric_series', param: 'run_param', tag: 'run_tag' }

const startTime: SortColumn = { expression: 'r.start_time', type: 'bigint', ascending: false }
const runId: SortColumn = { expression: 'r.run_id', type: 'text', ascending: true }

/**
 * Of runs that are ordered by a metric first, those that have it as a number come before all others: asked for by themselves, the index on values gives them in
 * order, without looking at every run.
 */
export type Part = 'valued' | 'rest' | 'all'

export const partsOf = (terms: readonly OrderTerm[]): Part[] => (terms[0]?.entity === 'metric' ? ['valued', 'rest'] : ['all'])

export interface RunOrder {
  readonly joins: readonly string[]
  readonly columns: readonly SortColumn[]
  /** What makes a run one of the part. */
  readonly where: readonly string[]
}

/** The columns that runs are ordered by, and the joins that bring them: each joins at most one row. Newest first unless told, the id breaks ties. */
export function compileRunOrder(terms: readonly OrderTerm[], parameters: SqlParameters, part: Part): RunOrder {
  const joins: string[] = []
  const columns = terms.map((term, index) => {
    const table = tables[term.entity]
    if (!table) return attributeColumn(term)
    const valued = part === 'valued' && index === 0
    joins.push(`${valued ? '' : 'left '}join ${table} o${index} on o${index}.run_id = r.run_id and o${index}.key = ${parameters.add(term.key)}`)
    return valued ? valueColumn(term, 'o0') : keyedColumn(term, `o${index}`)
  })
  const where = { valued: ['not o0.is_nan'], rest: ['(o0.run_id is null or o0.is_nan)'], all: [] }[part]
  const has = (expression: string): boolean => columns.some((column) => column.expression === expression)
  if (!has(startTime.expression)) columns.push(startTime)
  if (!has(runId.expression)) columns.push(runId)
  return { joins, columns, where }
}

const valueColumn = ({ ascending }: OrderTerm, alias: string): SortColumn => ({ expression: `${alias}.value`, type: 'double precision', ascending })

function attributeColumn({ key, field, ascending }: OrderTerm): SortColumn {
  const expression = `r.${key}`
  const type = field.value === 'number' ? 'bigint' : 'text'
  return key === 'end_time' ? { expression, type, ascending, rank: missingLast(expression) } : { expression, type, ascending }
}

/** Ascending: numbers, NaN, missing; descending: numbers downwards, NaN, missing. */
function keyedColumn({ entity, ascending }: OrderTerm, alias: string): SortColumn {
  const expression = `${alias}.value`
  if (entity !== 'metric') return { expression, type: 'text', ascending, rank: missingLast(expression) }
  return { expression, type: 'double precision', ascending, rank: `case when ${expression} is null then 2 when ${alias}.is_nan then 1 else 0 end` }
}
