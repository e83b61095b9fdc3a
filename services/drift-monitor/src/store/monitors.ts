import type { Sql } from '@millrace/platform/sql/sql.ts'

export type ReferenceState = 'pending' | 'ready' | 'none' | 'failed'

/** What is watched of a model: the version in production, its reference, and the alert. */
export interface Monitor {
  readonly model: string
  readonly generation: number
  readonly version: string | null
  readonly sinceGeneration: number
  readonly artifactSha256: string | null
  readonly referenceState: ReferenceState
  readonly referenceProblem: string | null
  readonly referenceAttempts: number
  readonly latestAt: Date | null
  readonly closedUntil: Date | null
  readonly alertId: string | null
  readonly alertSeverity: string | null
  readonly performanceAlertId: string | null
  readonly historyFrom: Date | null
  readonly quietUntil: Date | null
}

const COLUMNS = `model, generation, version, since_generation as "sinceGeneration", artifact_sha256 as "artifactSha256", reference_state as "referenceState",
  reference_problem as "referenceProblem", reference_attempts as "referenceAttempts", latest_at as "latestAt", closed_until as "closedUntil",
  alert_id as "alertId", alert_severity as "alertSeverity", performance_alert_id as "performanceAlertId", history_from as "historyFrom", quiet_until as "quietUntil"`

export async function findMonitor(sql: Sql, model: string): Promise<Monitor | null> {
  const [monitor] = await sql.query<Monitor>(`select ${COLUMNS} from monitor where model = $1`, [model])
  return monitor ?? null
}

/** Locks the model's row until the transaction ends: counting, closing, alerts and changes of version happen one after another. */
export async function lockMonitor(tx: Sql, model: string): Promise<Monitor | null> {
  const [monitor] = await tx.query<Monitor>(`select ${COLUMNS} from monitor where model = $1 for update`, [model])
  return monitor ?? null
}

/** Monitors whose reference is to be read now. */
export const listPendingReferences = (sql: Sql, now: Date): Promise<Monitor[]> =>
  sql.query<Monitor>(`select ${COLUMNS} from monitor where reference_state = 'pending' and reference_next_at <= $1 order by reference_next_at limit 20`, [now])

/** Models with rows that are not part of a closed window yet. */
export const listCounting = (sql: Sql): Promise<Monitor[]> =>
  sql.query<Monitor>(`select ${COLUMNS} from monitor where exists (select 1 from bucket where bucket.model = monitor.model) order by model`)

export interface Takeover {
  readonly model: string
  readonly generation: number
  readonly version: string | null
  readonly artifactSha256: string | null
  readonly referenceState: ReferenceState
}

/** Begins anew with the version that took over; the alert of the one before stays until its reference is known. */
export async function startMonitor(tx: Sql, takeover: Takeover, now: Date): Promise<void> {
  const values = [takeover.model, takeover.generation, takeover.version, takeover.artifactSha256, takeover.referenceState, now]
  await tx.query(
    `insert into monitor (model, generation, version, since_generation, artifact_sha256, reference_state, reference_next_at) values ($1, $2, $3, $2, $4, $5, $6)
     on conflict (model) do update set generation = excluded.generation, version = excluded.version, since_generation = excluded.since_generation,
       artifact_sha256 = excluded.artifact_sha256, reference_state = excluded.reference_state, reference_problem = null, reference_attempts = 0,
       reference_next_at = excluded.reference_next_at, performance_alert_id = null, latest_at = null, closed_until = null,
       history_from = null, quiet_until = null`,
    values,
  )
  await tx.query('delete from bucket where model = $1', [takeover.model])
}

export const saveGeneration = (tx: Sql, model: string, generation: number) =>
  tx.query('update monitor set generation = $2 where model = $1', [model, generation])

export const saveReferenceState = (tx: Sql, model: string, state: ReferenceState, problem: string | null) =>
  tx.query('update monitor set reference_state = $2, reference_problem = $3 where model = $1', [model, state, problem])

/** Tries again later; only while the same version is watched. */
export const postponeReference = (sql: Sql, monitor: Monitor, problem: string, nextAt: Date) =>
  sql.query(
    `update monitor set reference_attempts = reference_attempts + 1, reference_problem = $3, reference_next_at = $4
     where model = $1 and since_generation = $2 and reference_state = 'pending'`,
    [monitor.model, monitor.sinceGeneration, problem, nextAt],
  )

export const saveLatest = (tx: Sql, model: string, latestAt: Date) =>
  tx.query('update monitor set latest_at = greatest(latest_at, $2) where model = $1', [model, latestAt])

export const saveClosedUntil = (tx: Sql, model: string, closedUntil: Date) =>
  tx.query('update monitor set closed_until = $2 where model = $1', [model, closedUntil])

export const openAlert = (tx: Sql, model: string, alertId: string, severity: string) =>
  tx.query('update monitor set alert_id = $2, alert_severity = $3 where model = $1', [model, alertId, severity])

/** Windows that closed up to now do not count for the next alert, which may not come before `quietUntil`. */
export const endAlert = (tx: Sql, model: string, historyFrom: Date | null, quietUntil: Date) =>
  tx.query('update monitor set alert_id = null, alert_severity = null, history_from = $2, quiet_until = $3 where model = $1', [model, historyFrom, quietUntil])

export const savePerformanceAlert = (tx: Sql, model: string, alertId: string | null) =>
  tx.query('update monitor set performance_alert_id = $2 where model = $1', [model, alertId])
