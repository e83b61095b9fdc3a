import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Job, JobState } from './domain/job.ts'

/** A job as it is kept, with what is only shown. */
export interface StoredJob {
  readonly job: Job
  readonly progress: number
  readonly alertId: string | null
  readonly seenFingerprint: string | null
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly endedAt: Date | null
}

export interface JobRow {
  job_id: string
  model: string
  dataset: string
  experiment: string
  parameters: Job['parameters']
  register: boolean
  timeout_ms: number
  max_attempts: number
  cause: string
  requested_by: string
  state: JobState
  attempt: number
  failures: number
  run_id: string | null
  finishing: boolean
  progress: number
  message: string
  metrics: Job['metrics']
  unlike_digest: string | null
  data_digest: string | null
  seen_fingerprint: string | null
  alert_id: string | null
  created_at: Date
  started_at: Date | null
  ended_at: Date | null
}

const toStored = (row: JobRow): StoredJob => ({
  job: {
    ...{ jobId: row.job_id, model: row.model, dataset: row.dataset, experiment: row.experiment, parameters: row.parameters, register: row.register },
    ...{ timeoutMs: row.timeout_ms, maxAttempts: row.max_attempts, cause: row.cause, requestedBy: row.requested_by, state: row.state },
    ...{ attempt: row.attempt, failures: row.failures, runId: row.run_id, finishing: row.finishing, message: row.message, metrics: row.metrics },
    ...{ unlikeDigest: row.unlike_digest, dataDigest: row.data_digest },
  },
  progress: row.progress,
  alertId: row.alert_id,
  seenFingerprint: row.seen_fingerprint,
  createdAt: row.created_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
})

/** False where the alert has a job already. */
export async function insertJob(tx: Sql, job: Job, alertId: string | null, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `insert into job (job_id, model, dataset, experiment, parameters, register, timeout_ms, max_attempts, cause, requested_by, state, message, unlike_digest, alert_id,
       due_at, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15) on conflict (alert_id) do nothing returning job_id`,
    [
      ...[job.jobId, job.model, job.dataset, job.experiment, JSON.stringify(job.parameters), job.register, job.timeoutMs, job.maxAttempts],
      ...[job.cause, job.requestedBy, job.state, job.message, job.unlikeDigest, alertId, now],
    ],
  )
  return rows.length > 0
}

export async function findJob(sql: Sql, jobId: string): Promise<StoredJob | null> {
  const [row] = await sql.query<JobRow>('select * from job where job_id = $1', [jobId])
  return row ? toStored(row) : null
}

/** Locks the job until the transaction ends. */
export async function lockJob(tx: Sql, jobId: string): Promise<StoredJob | null> {
  const [row] = await tx.query<JobRow>('select * from job where job_id = $1 for update', [jobId])
  return row ? toStored(row) : null
}

interface JobFilter {
  readonly model: string | null
  readonly state: string | null
  /** Models that the caller may see; null for all. */
  readonly visible: readonly string[] | null
  readonly limit: number
}

/** Models that there are jobs of. */
export const jobModels = async (sql: Sql): Promise<string[]> => (await sql.query<{ model: string }>('select distinct model from job')).map(({ model }) => model)

/** Newest first. */
export async function listJobs(sql: Sql, filter: JobFilter): Promise<StoredJob[]> {
  const rows = await sql.query<JobRow>(
    `select * from job where ($1::text is null or model = $1) and ($2::text is null or state = $2) and ($4::text[] is null or model = any($4))
     order by created_at desc, job_id desc limit $3`,
    [filter.model, filter.state, filter.limit, filter.visible],
  )
  return rows.map(toStored)
}

export interface JobSave {
  readonly job: Job
  readonly dueAt: Date
  readonly leaseUntil: Date | null
  /** Set when an attempt begins. */
  readonly startedAt: Date | null
  readonly endedAt: Date | null
}

export async function saveJob(tx: Sql, { job, dueAt, leaseUntil, startedAt, endedAt }: JobSave): Promise<void> {
  await tx.query(
    `update job set state = $2, attempt = $3, failures = $4, run_id = $5, finishing = $6, message = $7, metrics = $8, data_digest = $9, due_at = $10,
       lease_until = $11, started_at = coalesce(started_at, $12), ended_at = $13, progress = case when $2 = 'succeeded' then 1 when $2 = 'queued' then 0 else progress end
     where job_id = $1`,
    [
      ...[job.jobId, job.state, job.attempt, job.failures, job.runId, job.finishing, job.message, JSON.stringify(job.metrics), job.dataDigest],
      ...[dueAt, leaseUntil, startedAt, endedAt],
    ],
  )
}

/** The job that has waited longest for its turn. */
export async function nextQueued(sql: Sql): Promise<{ jobId: string; dueAt: Date } | null> {
  const [row] = await sql.query<{ job_id: string; due_at: Date }>("select job_id, due_at from job where state = 'queued' order by due_at, job_id limit 1")
  return row ? { jobId: row.job_id, dueAt: row.due_at } : null
}

/** Jobs whose worker has not been heard of in time. */
export async function abandonedJobs(sql: Sql, now: Date): Promise<StoredJob[]> {
  const rows = await sql.query<JobRow>("select * from job where state in ('running', 'cancelling') and not finishing and lease_until < $1", [now])
  return rows.map(toStored)
}

export async function finishingJobs(sql: Sql): Promise<StoredJob[]> {
  const rows = await sql.query<JobRow>("select * from job where state = 'running' and finishing order by due_at limit 10")
  return rows.map(toStored)
}

export async function waitingJobs(sql: Sql, model: string | null): Promise<StoredJob[]> {
  const rows = await sql.query<JobRow>("select * from job where state = 'waiting_for_data' and ($1::text is null or model = $1) order by created_at", [model])
  return rows.map(toStored)
}

export async function noteFingerprint(sql: Sql, jobId: string, fingerprint: string | null, message: string): Promise<void> {
  await sql.query("update job set seen_fingerprint = $2, message = $3 where job_id = $1 and state = 'waiting_for_data'", [jobId, fingerprint, message])
}

/** Sign of life of an attempt. The state tells whether it should stop; null means that the job is not this attempt's any more. */
export async function heartbeat(
  sql: Sql,
  beat: { jobId: string; attempt: number; leaseUntil: Date; progress: number; message: string },
): Promise<JobState | null> {
  const [row] = await sql.query<{ state: JobState }>(
    `update job set lease_until = $3, progress = $4, message = case when state = 'running' then $5 else message end
     where job_id = $1 and attempt = $2 and state in ('running', 'cancelling') and not finishing returning state`,
    [beat.jobId, beat.attempt, beat.leaseUntil, beat.progress, beat.message],
  )
  return row?.state ?? null
}

/** Digest of the data that the model's last successful job learned from. */
export async function lastDataDigest(sql: Sql, model: string): Promise<string | null> {
  const [row] = await sql.query<{ data_digest: string | null }>(
    "select data_digest from job where model = $1 and state = 'succeeded' and data_digest is not null order by ended_at desc limit 1",
    [model],
  )
  return row?.data_digest ?? null
}

/** What the policy has asked for so far. */
export async function retrainingsOf(sql: Sql, model: string): Promise<{ lastAskedAt: Date | null; underWay: boolean }> {
  const [row] = await sql.query<{ last: Date | null; under_way: boolean | null }>(
    `select max(created_at) as last, bool_or(state in ('queued', 'running', 'cancelling')) as under_way from job
     where model = $1 and alert_id is not null and state <> 'cancelled'`,
    [model],
  )
  return { lastAskedAt: row?.last ?? null, underWay: row?.under_way ?? false }
}
