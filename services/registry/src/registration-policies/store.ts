import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface PolicyRow {
  readonly name: string
  readonly enabled: boolean
  readonly experiment_ids: readonly string[]
  readonly filter: string
  readonly model: string
  readonly artifact_path: string | null
  readonly changed_by: string
  readonly created_at: Date
  readonly updated_at: Date
}

const COLUMNS = 'name, enabled, experiment_ids, filter, model, artifact_path, changed_by, created_at, updated_at'

export async function listPolicies(sql: Sql): Promise<PolicyRow[]> {
  return sql.query<PolicyRow>(`select ${COLUMNS} from registration_policy order by name`)
}

export async function findPolicy(sql: Sql, name: string): Promise<PolicyRow | null> {
  const [row] = await sql.query<PolicyRow>(`select ${COLUMNS} from registration_policy where name = $1`, [name])
  return row ?? null
}

/** Makes it or replaces it. Answers the row as it is then. */
export async function savePolicy(tx: Sql, policy: Omit<PolicyRow, 'created_at' | 'updated_at'>, now: Date): Promise<PolicyRow> {
  const [row] = await tx.query<PolicyRow>(
    `insert into registration_policy (name, enabled, experiment_ids, filter, model, artifact_path, changed_by, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
     on conflict (name) do update set enabled = excluded.enabled, experiment_ids = excluded.experiment_ids, filter = excluded.filter, model = excluded.model,
       artifact_path = excluded.artifact_path, changed_by = excluded.changed_by, updated_at = excluded.updated_at returning ${COLUMNS}`,
    [policy.name, policy.enabled, [...policy.experiment_ids], policy.filter, policy.model, policy.artifact_path, policy.changed_by, now],
  )
  if (!row) throw new Error('an upsert answered no row')
  return row
}

/** Whether there was one. */
export async function deletePolicy(tx: Sql, name: string): Promise<boolean> {
  return (await tx.query('delete from registration_policy where name = $1 returning name', [name])).length > 0
}
