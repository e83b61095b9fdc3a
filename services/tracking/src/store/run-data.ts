import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { KeyValue } from '../domain/batch.ts'
import type { Point } from '../domain/metric.ts'
import { pairs } from './key-values.ts'

/** What was logged to a run, beside the run itself. `metrics` are the latest points. */
export interface RunData {
  readonly metrics: readonly Point[]
  readonly params: readonly KeyValue[]
  readonly tags: readonly KeyValue[]
}

interface PairsRow {
  run_id: string
  pairs: [string, string][]
}
interface MetricsRow {
  run_id: string
  points: [key: string, timestamp: number, step: number, value: number, isNan: boolean][]
}

const noData: RunData = { metrics: [], params: [], tags: [] }

/** One row per run and kind: ten thousand metrics as rows of their own would cost more to carry than to find. */
export async function loadRunData(sql: Sql, runIds: readonly string[]): Promise<(runId: string) => RunData> {
  if (runIds.length === 0) return () => noData
  const params = await loadPairs(sql, 'run_param', runIds)
  const tags = await loadPairs(sql, 'run_tag', runIds)
  const metrics = await loadLatest(sql, runIds)
  return (runId) => ({ metrics: metrics.get(runId) ?? [], params: params.get(runId) ?? [], tags: tags.get(runId) ?? [] })
}

async function loadPairs(sql: Sql, table: 'run_param' | 'run_tag', runIds: readonly string[]): Promise<Map<string, KeyValue[]>> {
  const rows = await sql.query<PairsRow>(
    `select run_id, json_agg(json_build_array(key, value) order by key collate "C") as pairs from ${table} where run_id = any($1) group by run_id`,
    [runIds],
  )
  return new Map(rows.map((row) => [row.run_id, pairs(row.pairs)]))
}

async function loadLatest(sql: Sql, runIds: readonly string[]): Promise<Map<string, Point[]>> {
  const rows = await sql.query<MetricsRow>(
    `select run_id, json_agg(json_build_array(key, timestamp, step, value, is_nan) order by key collate "C") as points
      from metric_series where run_id = any($1) group by run_id`,
    [runIds],
  )
  return new Map(rows.map((row) => [row.run_id, row.points.map(([key, timestamp, step, value, isNan]) => ({ key, timestamp, step, value, isNan }))]))
}

export async function upsertRunTags(tx: Sql, runId: string, tags: readonly KeyValue[]): Promise<void> {
  if (tags.length === 0) return
  await tx.query(
    `insert into run_tag (run_id, key, value) select $1, key, value from unnest($2::text[], $3::text[]) as t (key, value)
      on conflict (run_id, key) do update set value = excluded.value`,
    [runId, tags.map((tag) => tag.key), tags.map((tag) => tag.value)],
  )
}

export async function deleteRunTag(tx: Sql, runId: string, key: string): Promise<boolean> {
  const rows = await tx.query('delete from run_tag where run_id = $1 and key = $2 returning key', [runId, key])
  return rows.length > 0
}

/** Writes the params that are new. Returns what the run now has under the keys that were there before, for the caller to compare. */
export async function insertParams(tx: Sql, runId: string, params: readonly KeyValue[]): Promise<ReadonlyMap<string, string>> {
  if (params.length === 0) return new Map()
  const keys = params.map((param) => param.key)
  const written = await tx.query<{ key: string }>(
    `insert into run_param (run_id, key, value) select $1, key, value from unnest($2::text[], $3::text[]) as t (key, value) order by key
      on conflict (run_id, key) do nothing returning key`,
    [runId, keys, params.map((param) => param.value)],
  )
  if (written.length === params.length) return new Map()
  const present = await tx.query<KeyValue>('select key, value from run_param where run_id = $1 and key = any($2)', [runId, keys])
  return new Map(present.map(({ key, value }) => [key, value]))
}

export async function findRunTag(sql: Sql, runId: string, key: string): Promise<string | null> {
  const [row] = await sql.query<{ value: string }>('select value from run_tag where run_id = $1 and key = $2', [runId, key])
  return row?.value ?? null
}
