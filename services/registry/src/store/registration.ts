import type { Artifact } from '@millrace/contracts/events/fields.ts'
import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

/** Versions whose registration is due, the longest waiting first. */
export async function dueRegistrations(sql: Sql, now: Date, limit: number): Promise<number[]> {
  const rows = await sql.query<{ id: number }>(
    `select id from model_version where status = 'PENDING_REGISTRATION' and deleted_at is null and attempt_at <= $1 order by attempt_at limit $2`,
    [now, limit],
  )
  return rows.map((row) => row.id)
}

/** After a start: whoever held these up is gone, so that none waits for the end of its pause. */
export async function hastenRegistrations(sql: Sql, now: Date): Promise<void> {
  await sql.query(`update model_version set attempt_at = $1 where status = 'PENDING_REGISTRATION' and deleted_at is null and attempt_at > $1`, [now])
}

export async function countPending(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `select count(*)::int as count from model_version where status = 'PENDING_REGISTRATION' and deleted_at is null`,
  )
  return row?.count ?? 0
}

export interface Registered {
  readonly artifact: Artifact | null
  readonly signature: Signature | null
  readonly unservableReason: string | null
  /** Run that wrote the files, where tracking knows. */
  readonly runId: string | null
}

export async function markReady(tx: Sql, id: number, registered: Registered): Promise<void> {
  const { artifact, signature, unservableReason, runId } = registered
  await tx.query(
    `update model_version set status = 'READY', status_message = '', artifact = $2, signature = $3, servable = $4, unservable_reason = $5,
       run_id = case when run_id = '' then $6 else run_id end where id = $1`,
    [id, artifact && JSON.stringify(artifact), signature && JSON.stringify(signature), unservableReason === null, unservableReason, runId ?? ''],
  )
}

export async function markFailed(tx: Sql, id: number, message: string): Promise<void> {
  await tx.query(`update model_version set status = 'FAILED_REGISTRATION', status_message = $2 where id = $1`, [id, message])
}

/** Sets the next try; a version that is no longer pending is left alone. */
export async function postponeRegistration(sql: Sql, id: number, message: string, attemptAt: Date): Promise<void> {
  await sql.query(
    `update model_version set attempts = attempts + 1, attempt_at = $3, status_message = $2 where id = $1 and status = 'PENDING_REGISTRATION' and deleted_at is null`,
    [id, message, attemptAt],
  )
}

/** False where this model registered the source before. A registration that failed does not count: the run may have brought the files since. */
export async function claimSource(tx: Sql, model: string, source: string, version: number, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `insert into automatic_registration as claim (model, source, version, registered_at) values ($1, $2, $3, $4)
     on conflict (model, source) do update set version = excluded.version, registered_at = excluded.registered_at
     where exists (select 1 from model_version v join registered_model m on m.id = v.model_id
       where m.name = claim.model and v.version = claim.version and v.status = 'FAILED_REGISTRATION')
     returning 1`,
    [model, source, version, now],
  )
  return rows.length > 0
}

/** Whether a living version has these files already, by whatever name it calls them. */
export async function hasSource(tx: Sql, modelId: number, source: string, storageLocation: string): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from model_version where model_id = $1 and deleted_at is null and status <> 'FAILED_REGISTRATION' and (source = $2 or storage_location = $3) limit 1`,
    [modelId, source, storageLocation],
  )
  return rows.length > 0
}
