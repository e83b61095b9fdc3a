import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Point } from '../domain/metric.ts'

/** A point of one of several runs. */
export interface RunPoint extends Point {
  readonly runId: string
}

interface Row {
  run_id: string
  timestamp: number
  step: number
  value: number
  is_nan: boolean
}

const toPoint =
  (key: string) =>
  (row: Row): RunPoint => ({ runId: row.run_id, key, timestamp: row.timestamp, step: row.step, value: row.value, isNan: row.is_nan })

/** The first points of one metric over several runs, by run, timestamp, step and value. Of each run no more than `limit` are read. */
export async function queryBulkHistory(sql: Sql, request: { runIds: readonly string[]; key: string; limit: number }): Promise<RunPoint[]> {
  const rows = await sql.query<Row>(
    `select s.run_id, p.timestamp, p.step, p.value, p.is_nan from metric_series s cross join lateral (
        select m.timestamp, m.step, m.value, m.is_nan from metric_point m where m.series_id = s.series_id
          order by m.timestamp, m.step, m.value, m.is_nan limit $3) p
      where s.run_id = any($1) and s.key = $2 order by s.run_id, p.timestamp, p.step, p.value, p.is_nan limit $3`,
    [request.runIds, request.key, request.limit],
  )
  return rows.map(toPoint(request.key))
}

/**
 * Whether the row numbered `row` (from 0) of `count` is one of `most` that are spread evenly: the i-th of these is number floor(i * count / most). The last
 * row is always one. Whole numbers only, so that no rounding decides.
 */
const isSpread = (row: string, count: string, most: string): string =>
  `(${count} <= ${most} or ${row} = ${count} - 1
    or (((${row} * ${most} + ${count} - 1) / ${count}) < ${most} and ((${row} * ${most} + ${count} - 1) / ${count}) * ${count} / ${most} = ${row}))`

/** A million points are read three times, one column each, and sorted once, as one array: rows of their own would cost five times that. */
const SAMPLE = `
  with series as materialized (select series_id, run_id from metric_series where run_id = any($1) and key = $2),
  span as materialized (
    select e.first, e.last from series s cross join lateral (select min(m.step) as first, max(m.step) as last from metric_point m where m.series_id = s.series_id) e
  ), found as materialized (
    select array_agg(distinct p.step order by p.step) as steps from metric_point p where p.series_id = any(array(select series_id from series)) and p.step between $3 and $4
  ), counted as (select steps, cardinality(steps)::int8 as count from found where steps is not null),
  kept as materialized (
    select steps[1 + case when count <= $5 then i else i * count / $5 end] as step from counted cross join lateral generate_series(0, least($5, count) - 1) as i
    union select steps[count] from counted
    union select step from (select first as step from span union all select last from span) as ends where step between $3 and $4
  ), ranked as (
    select s.run_id, p.timestamp, p.step, p.value, p.is_nan, count(*) over (partition by s.run_id) as count,
        row_number() over (partition by s.run_id order by p.step, p.timestamp, p.value, p.is_nan) - 1 as row
      from series s join metric_point p using (series_id) where p.step in (select step from kept)
  ), cap as (select greatest($5, count(*)) as most from kept)
  select run_id, timestamp, step, value, is_nan from ranked cross join cap where ${isSpread('row', 'count', 'most')}
    order by run_id, step, timestamp, value, is_nan`.replaceAll('$5', '$5::int8')

export interface SampleRequest {
  readonly runIds: readonly string[]
  readonly key: string
  /** Inclusive. */
  readonly startStep: number
  readonly endStep: number
  /** Steps over all runs together; each run's own first and last step come on top. */
  readonly maxSteps: number
}

/**
 * One metric over several runs, thinned evenly by step: the distinct steps of all runs in the interval, at most `maxSteps` of them, and each run's own first
 * and last. Of a run with many points at one step as many remain as there are steps, spread evenly. All of it happens in the database.
 */
export async function sampleHistory(sql: Sql, request: SampleRequest): Promise<RunPoint[]> {
  const rows = await sql.query<Row>(SAMPLE, [request.runIds, request.key, request.startStep, request.endStep, request.maxSteps])
  return rows.map(toPoint(request.key))
}
