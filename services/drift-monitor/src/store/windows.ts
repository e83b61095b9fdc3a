import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { WindowOutcome } from '../domain/alert.ts'
import type { WindowCounts } from '../domain/feature-counts.ts'
import type { Judgement } from '../domain/judge-window.ts'

export interface ClosedWindow extends Judgement {
  readonly model: string
  readonly sinceGeneration: number
  readonly version: string
  readonly startAt: Date
  readonly endAt: Date
  readonly rows: number
  readonly referenceRows: number
}

const COLUMNS = `model, since_generation as "sinceGeneration", version, start_at as "startAt", end_at as "endAt", rows, reference_rows as "referenceRows",
  verdict, severity, drifted_share as "driftedShare", features`

export async function insertWindow(tx: Sql, window: ClosedWindow, counts: WindowCounts, closedAt: Date): Promise<void> {
  const head = [window.model, window.sinceGeneration, window.version, window.startAt, window.endAt, window.rows, window.referenceRows]
  const verdict = [window.verdict, window.severity, window.driftedShare, JSON.stringify(window.features), JSON.stringify(counts), closedAt]
  await tx.query(
    `insert into closed_window (model, since_generation, version, start_at, end_at, rows, reference_rows, verdict, severity, drifted_share, features, counts, closed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [...head, ...verdict],
  )
}

/** A window with the labels that have come for its predictions so far. */
export interface LabelledWindow extends ClosedWindow {
  readonly labelledRows: number
  readonly correct: number
}

/** Newest first, of every version. */
export const listLabelledWindows = (sql: Sql, model: string, limit: number): Promise<LabelledWindow[]> =>
  sql.query<LabelledWindow>(
    `select closed.*, realised."labelledRows", realised.correct
     from (select ${COLUMNS} from closed_window where model = $1 order by end_at desc, since_generation desc limit $2) as closed,
       lateral (
         select count(*) as "labelledRows", count(*) filter (where label.label = prediction.predicted_class) as correct
         from prediction join label using (model, prediction_id)
         where model = closed.model and since_generation = closed."sinceGeneration" and predicted_at >= closed."startAt" and predicted_at < closed."endAt"
       ) as realised
     order by closed."endAt" desc`,
    [model, limit],
  )

/** Verdicts of the newest windows of the version in production that began at or after `from`, newest first. */
export const listOutcomes = (tx: Sql, model: string, sinceGeneration: number, from: Date | null, limit: number): Promise<WindowOutcome[]> =>
  tx.query<WindowOutcome>(
    `select verdict, severity from closed_window where model = $1 and since_generation = $2 and ($3::timestamptz is null or start_at >= $3)
     order by end_at desc limit $4`,
    [model, sinceGeneration, from, limit],
  )

export async function newestWindow(tx: Sql, model: string): Promise<ClosedWindow | null> {
  const [window] = await tx.query<ClosedWindow>(`select ${COLUMNS} from closed_window where model = $1 order by end_at desc, since_generation desc limit 1`, [
    model,
  ])
  return window ?? null
}

export const dropWindows = (sql: Sql, closedBefore: Date) => sql.query('delete from closed_window where closed_at < $1', [closedBefore])
