import { rollbackResponse } from '@millrace/contracts/http/registry.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Job } from '@millrace/platform/service.ts'
import { finishClaim } from './apply-transition.ts'
import type { PromoterDeps } from './deps.ts'
import { afterRollback, type Decision } from './domain/decision.ts'
import { readOverview } from './gather-facts.ts'
import { workDone, workOnClaims } from './work-on-claims.ts'

/** Asks the registry to take back each promotion that pods could not load. */
export const createRollbackJob = (deps: PromoterDeps): Job =>
  workOnClaims(deps, 'roll-back-promotions', 'roll-back', async function rollBackPromotion(claimed, signal) {
    const message = await askRegistry(deps, claimed.decision, signal)
    const decided = await finishClaim(deps, claimed, async (_tx, decision) => afterRollback(decision, message))
    if (decided) {
      const { decisionId, model, version, reason } = decided
      deps.log.warn('a promotion was taken back', { decisionId, model, version, reason })
    }
    return workDone
  })

/** What became of it. A model that moved on by itself needs no roll-back; one without an earlier version has none. */
async function askRegistry(deps: PromoterDeps, decision: Decision, signal: AbortSignal): Promise<string> {
  const { decisionId, model, version, championVersion } = decision
  if (championVersion === null) return 'There is no earlier version to go back to: register one that loads'
  const overview = await readOverview(deps, model, signal)
  if (overview?.production?.version !== version) return 'It is no longer in Production'
  try {
    const answer = await deps.registry.call({
      method: 'POST',
      path: `/api/v1/models/${encodeURIComponent(model)}/rollback`,
      body: { version: championVersion, reason: decision.reason.slice(0, 2000), expectedGeneration: overview.generation },
      headers: { 'idempotency-key': `${decisionId}:rollback:${overview.generation}` },
      response: rollbackResponse,
      signal,
    })
    return `Version ${answer.version} is in Production again`
  } catch (error) {
    // A stale generation is looked at again; every other refusal stays one.
    if (error instanceof AppError && error.code !== 'STALE_GENERATION') return `It could not be rolled back: ${error.message}`
    throw error
  }
}
