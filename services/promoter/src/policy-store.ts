import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface StoredPolicy {
  readonly policyVersion: number
  readonly policy: PromotionPolicy
  readonly changedBy: string
  /** Null for the default policy, which nobody has set. */
  readonly changedAt: Date | null
}

interface PolicyRow {
  policy_version: number
  policy: PromotionPolicy
  changed_by: string
  changed_at: Date
}

export async function currentPolicy(sql: Sql, model: string): Promise<StoredPolicy | null> {
  const [row] = await sql.query<PolicyRow>('select * from policy where model = $1 order by policy_version desc limit 1', [model])
  return row ? { policyVersion: row.policy_version, policy: row.policy, changedBy: row.changed_by, changedAt: row.changed_at } : null
}

export async function insertPolicy(tx: Sql, model: string, stored: StoredPolicy): Promise<void> {
  await tx.query('insert into policy (model, policy_version, policy, changed_by, changed_at) values ($1, $2, $3, $4, $5)', [
    model,
    stored.policyVersion,
    JSON.stringify(stored.policy),
    stored.changedBy,
    stored.changedAt,
  ])
}
