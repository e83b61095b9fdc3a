import { isDeepStrictEqual } from 'node:util'
import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { defaultPolicy, type PromoterDeps } from './deps.ts'
import { policyProblems } from './domain/policy.ts'
import { currentPolicy, insertPolicy, type StoredPolicy } from './policy-store.ts'
import { lockModel } from './store.ts'
import { unknownMetrics } from './unknown-metrics.ts'

type PolicyDeps = Pick<PromoterDeps, 'config' | 'database' | 'clock' | 'registry' | 'tracking'>

/** The model's policy, or the default one as version 0. */
export async function policyOf(deps: Pick<PromoterDeps, 'config'>, sql: Sql, model: string): Promise<StoredPolicy> {
  const stored = await currentPolicy(sql, model)
  return stored ?? { policyVersion: 0, policy: defaultPolicy(deps.config), changedBy: 'default', changedAt: null }
}

/**
 * Makes the next version of a model's policy; the same policy again stays the version it is. Decisions in progress keep the policy they began with. A metric must be one that the newest version's run has.
 * @throws AppError INVALID_PARAMETER_VALUE naming every problem
 */
export const createPutPolicy = (deps: PolicyDeps) =>
  async function putPolicy(model: string, policy: PromotionPolicy, actor: string): Promise<StoredPolicy> {
    const wrong = policyProblems(policy)
    const problems = wrong.length > 0 ? wrong : await unknownMetrics(deps, model, policy)
    if (problems.length > 0) throw new AppError('INVALID_PARAMETER_VALUE', `The policy cannot be used: ${problems.join('; ')}.`, { details: { problems } })
    return deps.database.transaction(async (tx) => {
      await lockModel(tx, model)
      const before = await currentPolicy(tx, model)
      if (before && isDeepStrictEqual(before.policy, policy)) return before
      const next = { policyVersion: (before?.policyVersion ?? 0) + 1, policy, changedBy: actor, changedAt: deps.clock() }
      await insertPolicy(tx, model, next)
      return next
    })
  }
