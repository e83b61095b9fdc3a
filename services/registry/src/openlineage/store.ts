import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { VersionOutput } from '../domain/openlineage-run.ts'

/** Whether the run's beginning is news: a run that has begun or ended already does not begin again. */
export async function markStarted(tx: Sql, runId: string): Promise<boolean> {
  const rows = await tx.query('insert into openlineage_run (run_id, started, finishes) values ($1, true, 0) on conflict do nothing returning run_id', [runId])
  return rows.length > 0
}

/** How often the run had ended before, and whether its beginning had been told. */
export async function markFinished(tx: Sql, runId: string): Promise<{ finishesBefore: number; wasStarted: boolean }> {
  const [row] = await tx.query<{ finishes: number; started: boolean }>(
    `insert into openlineage_run (run_id, started, finishes) values ($1, false, 1)
     on conflict (run_id) do update set finishes = openlineage_run.finishes + 1 returning finishes, started`,
    [runId],
  )
  const finishesBefore = (row?.finishes ?? 1) - 1
  return { finishesBefore, wasStarted: row?.started === true && finishesBefore === 0 }
}

const MAX_VERSIONS = 100

/** The versions that a run became so far. */
export async function versionsOfRun(sql: Sql, runId: string): Promise<VersionOutput[]> {
  return sql.query<{ model: string; version: number; sizeBytes: number | null }>(
    `select m.name as model, v.version, (v.artifact ->> 'sizeBytes')::bigint as "sizeBytes" from model_version v join registered_model m on m.id = v.model_id
     where v.run_id = $1 and v.deleted_at is null and v.status <> 'FAILED_REGISTRATION' order by v.id limit ${MAX_VERSIONS}`,
    [runId],
  )
}
