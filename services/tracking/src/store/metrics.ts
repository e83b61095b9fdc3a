import type { Sql } from '@millrace/platform/sql/sql.ts'
import { latestByKey, type ModelPoint, type Point } from '../domain/metric.ts'
import type { Lifecycle } from '../domain/run.ts'

/**
 * Keeps points and moves each metric's latest one, in one statement that is atomic by itself and does nothing where the run is not active. Series are locked
 * in the order of their keys. A point that is there already changes nothing.
 */
const LOG_POINTS = `
  with latest as (
    insert into metric_series as present (run_id, key, step, timestamp, value, is_nan)
      select run.run_id, t.key, t.step, t.timestamp, t.value, t.is_nan
        from unnest($2::text[], $3::int8[], $4::int8[], $5::float8[], $6::bool[]) as t (key, step, timestamp, value, is_nan)
        join run on run.run_id = $1 and run.lifecycle_stage = 'active'
      on conflict (run_id, key) do update set (step, timestamp, value, is_nan) = (
        select candidate.step, candidate.timestamp, candidate.value, candidate.is_nan
          from (values (present.step, present.timestamp, present.value, present.is_nan), (excluded.step, excluded.timestamp, excluded.value, excluded.is_nan))
            as candidate (step, timestamp, value, is_nan)
          order by candidate.step desc, candidate.timestamp desc, candidate.value desc, candidate.is_nan limit 1)
      returning series_id, key
  ), points as (
    insert into metric_point (series_id, timestamp, step, value, is_nan)
      select latest.series_id, point.timestamp, point.step, point.value, point.is_nan
        from unnest($7::text[], $8::int8[], $9::int8[], $10::float8[], $11::bool[]) as point (key, step, timestamp, value, is_nan)
        join latest using (key)
      on conflict do nothing
  )
  select lifecycle_stage from run where run_id = $1`

const columns = (points: readonly Point[]): unknown[] => [
  points.map((point) => point.key),
  points.map((point) => point.step),
  points.map((point) => point.timestamp),
  points.map((point) => point.value),
  points.map((point) => point.isNan),
]

/** Returns the run's stage: nothing was written unless it is active. Null where there is no such run. */
export async function insertPoints(sql: Sql, runId: string, points: readonly Point[]): Promise<Lifecycle | null> {
  const [row] = await sql.query<{ lifecycle_stage: Lifecycle }>(LOG_POINTS, [runId, ...columns(latestByKey(points)), ...columns(points)])
  return row?.lifecycle_stage ?? null
}

export async function insertModelPoints(tx: Sql, points: readonly ModelPoint[]): Promise<void> {
  if (points.length === 0) return
  await tx.query(
    `insert into logged_model_metric (model_id, run_id, dataset_name, dataset_digest, key, step, timestamp, value, is_nan)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[], $8::float8[], $9::bool[])
      on conflict do nothing`,
    [
      points.map((point) => point.modelId),
      points.map((point) => point.runId),
      points.map((point) => point.datasetName),
      points.map((point) => point.datasetDigest),
      ...columns(points),
    ],
  )
}

export type HistoryKey = readonly [timestamp: number, step: number, value: number, isNan: boolean]

interface PointRow {
  timestamp: number
  step: number
  value: number
  is_nan: boolean
}

/** A page of a metric's points by timestamp, step and value, after `after`; empty for a run or metric that is not there. */
export async function queryHistory(sql: Sql, request: { runId: string; key: string; after: HistoryKey | null; limit: number }): Promise<Point[]> {
  const after = request.after ? 'and (p.timestamp, p.step, p.value, p.is_nan) > ($4::int8, $5::int8, $6::float8, $7::bool)' : ''
  const rows = await sql.query<PointRow>(
    `select p.timestamp, p.step, p.value, p.is_nan from metric_point p
      where p.series_id = (select series_id from metric_series where run_id = $1 and key = $2) ${after}
      order by p.timestamp, p.step, p.value, p.is_nan limit $3`,
    [request.runId, request.key, request.limit, ...(request.after ?? [])],
  )
  return rows.map((row) => ({ key: request.key, timestamp: row.timestamp, step: row.step, value: row.value, isNan: row.is_nan }))
}
