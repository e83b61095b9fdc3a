import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Row } from '../domain/feature-counts.ts'

/** A logged prediction that no window has counted yet. */
export interface UncountedRow {
  readonly id: number
  readonly model: string
  readonly version: string
  readonly generation: number
  readonly predictionId: string
  readonly predictedAt: Date
  readonly receivedAt: Date
  readonly row: Row
}

/** One insert per logged prediction: all that the log's pace has to wait for. */
export async function insertUncounted(tx: Sql, row: Omit<UncountedRow, 'id'>): Promise<void> {
  const values = [row.model, row.version, row.generation, row.predictionId, row.predictedAt, row.receivedAt, JSON.stringify(row.row)]
  await tx.query(
    'insert into uncounted (model, version, generation, prediction_id, predicted_at, received_at, row) values ($1, $2, $3, $4, $5, $6, $7)',
    values,
  )
}

/** Rows whose version is known and whose reference is settled, oldest first. Rows of a newer generation wait for the news of it. */
export const listCountable = (sql: Sql, limit: number): Promise<UncountedRow[]> =>
  sql.query<UncountedRow>(
    `select id, model, version, uncounted.generation, prediction_id as "predictionId", predicted_at as "predictedAt", received_at as "receivedAt", row
     from uncounted join (select model, generation, reference_state from monitor) as known using (model)
     where uncounted.generation <= known.generation and reference_state <> 'pending' order by id limit $1`,
    [limit],
  )

/** Deletes rows and tells which of them were still there: a row is counted once, even if two passes saw it. */
export async function takeUncounted(tx: Sql, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await tx.query<{ id: number }>('delete from uncounted where id = any($1::bigint[]) returning id', [[...ids]])
  return new Set(rows.map((row) => row.id))
}

export async function hasUncounted(sql: Sql, model: string, generation: number): Promise<boolean> {
  const rows = await sql.query('select 1 as one from uncounted where model = $1 and generation <= $2 limit 1', [model, generation])
  return rows.length > 0
}

/** Answers how many rows waited in vain. */
export async function dropWaiting(sql: Sql, receivedBefore: Date): Promise<number> {
  const rows = await sql.query('delete from uncounted where received_at < $1 returning id', [receivedBefore])
  return rows.length
}
