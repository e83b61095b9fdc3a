import type { RetrainingPolicy } from '@millrace/contracts/http/trainer.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrainerDeps } from './deps.ts'
import { resolveUnderRoots } from './resolve-data.ts'
import { trainingSettings } from './training-settings.ts'

export interface StoredPolicy {
  readonly policy: RetrainingPolicy
  readonly changedBy: string
  readonly changedAt: Date
}

interface PolicyRow {
  policy: RetrainingPolicy
  changed_by: string
  changed_at: Date
}

export async function findPolicy(sql: Sql, model: string): Promise<StoredPolicy | null> {
  const [row] = await sql.query<PolicyRow>('select * from retraining_policy where model = $1', [model])
  return row ? { policy: row.policy, changedBy: row.changed_by, changedAt: row.changed_at } : null
}

/**
 * Sets what drift and falling quality do to a model. The folder must lie under a root; it may still be empty.
 * @throws AppError INVALID_PARAMETER_VALUE
 */
export const createPutPolicy = (deps: Pick<TrainerDeps, 'database' | 'clock' | 'config'>) =>
  async function putPolicy(model: string, policy: RetrainingPolicy, changedBy: string): Promise<StoredPolicy> {
    const root = await resolveUnderRoots(deps.config.TRAINER_DATA_ROOTS, policy.dataset)
    await trainingSettings(deps.config, policy.parameters, root, deps.config.TRAINER_SCRATCH)
    const changedAt = deps.clock()
    await deps.database.query(
      `insert into retraining_policy (model, policy, changed_by, changed_at) values ($1, $2, $3, $4)
       on conflict (model) do update set policy = excluded.policy, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
      [model, JSON.stringify(policy), changedBy, changedAt],
    )
    return { policy, changedBy, changedAt }
  }
