import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { WindowCounts } from '../domain/feature-counts.ts'

export interface BucketSpan {
  readonly startMs: number
  readonly endMs: number
  readonly latestMs: number
  readonly rows: number
}
export interface StoredBucket extends BucketSpan {
  readonly counts: WindowCounts
}

interface SpanRow {
  start_at: Date
  end_at: Date
  latest_at: Date
  rows: number
}

const spanOf = (row: SpanRow): BucketSpan => ({
  startMs: row.start_at.getTime(),
  endMs: row.end_at.getTime(),
  latestMs: row.latest_at.getTime(),
  rows: row.rows,
})

/** Bounds and sizes of the open buckets, oldest first. */
export async function listSpans(sql: Sql, model: string): Promise<BucketSpan[]> {
  const rows = await sql.query<SpanRow>('select start_at, end_at, latest_at, rows from bucket where model = $1 order by start_at', [model])
  return rows.map(spanOf)
}

/** Buckets that begin within `[fromMs, untilMs)`, with their counts. The caller holds the lock on the monitor. */
export async function readBuckets(tx: Sql, model: string, fromMs: number, untilMs: number): Promise<StoredBucket[]> {
  const rows = await tx.query<SpanRow & { counts: WindowCounts }>(
    'select start_at, end_at, latest_at, rows, counts from bucket where model = $1 and start_at >= $2 and start_at < $3 order by start_at',
    [model, new Date(fromMs), new Date(untilMs)],
  )
  return rows.map((row) => ({ ...spanOf(row), counts: row.counts }))
}

export async function saveBuckets(tx: Sql, model: string, buckets: readonly StoredBucket[]): Promise<void> {
  const iso = (timeMs: number): string => new Date(timeMs).toISOString()
  await tx.query(
    `insert into bucket (model, start_at, end_at, latest_at, rows, counts)
     select $1, * from unnest($2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::jsonb[])
     on conflict (model, start_at) do update set end_at = excluded.end_at, latest_at = excluded.latest_at, rows = excluded.rows, counts = excluded.counts`,
    [
      model,
      buckets.map((bucket) => iso(bucket.startMs)),
      buckets.map((bucket) => iso(bucket.endMs)),
      buckets.map((bucket) => iso(bucket.latestMs)),
      buckets.map((bucket) => bucket.rows),
      buckets.map((bucket) => JSON.stringify(bucket.counts)),
    ],
  )
}

export const saveEnd = (tx: Sql, model: string, startMs: number, endMs: number) =>
  tx.query('update bucket set end_at = $3 where model = $1 and start_at = $2', [model, new Date(startMs), new Date(endMs)])

export const deleteBuckets = (tx: Sql, model: string, untilMs: number) =>
  tx.query('delete from bucket where model = $1 and start_at < $2', [model, new Date(untilMs)])
