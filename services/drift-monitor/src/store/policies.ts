import { type DriftPolicy, defaultDriftPolicy, driftPolicy } from '@millrace/contracts/http/drift.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

/** The model's policy, or the default. A stored one from before a new field gets that field's default. */
export async function readPolicy(sql: Sql, model: string): Promise<DriftPolicy> {
  const [row] = await sql.query<{ policy: object }>('select policy from policy where model = $1', [model])
  return row ? driftPolicy.parse({ ...defaultDriftPolicy, ...row.policy }) : defaultDriftPolicy
}

/** Models whose labels are judged. */
export async function listJudgedModels(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ model: string }>(`select model from policy where policy ->> 'minAccuracy' is not null order by model`)
  return rows.map((row) => row.model)
}

export async function hasPolicy(sql: Sql, model: string): Promise<boolean> {
  return (await sql.query('select 1 as one from policy where model = $1', [model])).length > 0
}

export async function savePolicy(tx: Sql, model: string, policy: DriftPolicy, changedBy: string, changedAt: Date): Promise<void> {
  await tx.query(
    `insert into policy (model, policy, changed_by, changed_at) values ($1, $2, $3, $4)
     on conflict (model) do update set policy = excluded.policy, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
    [model, JSON.stringify(policy), changedBy, changedAt],
  )
}
