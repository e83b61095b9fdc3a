import type { Sql } from '@millrace/platform/sql/sql.ts'

export async function insertAttempt(tx: Sql, attempt: { jobId: string; attempt: number; experiment: string; now: Date }): Promise<void> {
  await tx.query("insert into attempt (job_id, attempt, experiment, state, started_at) values ($1, $2, $3, 'running', $4)", [
    attempt.jobId,
    attempt.attempt,
    attempt.experiment,
    attempt.now,
  ])
}

export async function setAttemptRun(tx: Sql, jobId: string, attempt: number, runId: string): Promise<void> {
  await tx.query('update attempt set run_id = $3 where job_id = $1 and attempt = $2', [jobId, attempt, runId])
}

export async function endAttempt(
  tx: Sql,
  end: { jobId: string; attempt: number; state: string; reason: string; closeRunAs: 'FAILED' | 'KILLED' | null; now: Date },
): Promise<void> {
  await tx.query('update attempt set state = $3, reason = $4, close_run_as = $5, ended_at = $6 where job_id = $1 and attempt = $2', [
    ...[end.jobId, end.attempt, end.state, end.reason, end.closeRunAs, end.now],
  ])
}

export interface RunToClose {
  readonly jobId: string
  readonly attempt: number
  /** Null where the attempt died before it had written its run down; tracking may know one. */
  readonly runId: string | null
  readonly experiment: string
  readonly closeAs: 'FAILED' | 'KILLED'
  readonly endedAt: Date
}

interface RunToCloseRow {
  job_id: string
  attempt: number
  run_id: string | null
  experiment: string
  close_run_as: 'FAILED' | 'KILLED'
  ended_at: Date
}

export async function runsToClose(sql: Sql): Promise<RunToClose[]> {
  const rows = await sql.query<RunToCloseRow>('select * from attempt where close_run_as is not null order by ended_at limit 20')
  return rows.map((row) => ({
    ...{ jobId: row.job_id, attempt: row.attempt, runId: row.run_id, experiment: row.experiment, closeAs: row.close_run_as, endedAt: row.ended_at },
  }))
}

export async function markRunClosed(sql: Sql, { jobId, attempt }: RunToClose): Promise<void> {
  await sql.query('update attempt set close_run_as = null where job_id = $1 and attempt = $2', [jobId, attempt])
}
