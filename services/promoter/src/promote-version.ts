import { modelVersionResponse } from '@millrace/contracts/http/registry.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { finishClaim } from './apply-transition.ts'
import type { PromoterDeps } from './deps.ts'
import { afterPromotion, afterRefusal, afterStaleGeneration, type Decision, onActivated, onLoadFailed, type Transition } from './domain/decision.ts'
import { observationsSince } from './observation-store.ts'
import { workDone, workOnClaims } from './work-on-claims.ts'

/** Refusals that say something about the caller's access or the moment, not about the version: asking again may help. */
const PASSING: readonly string[] = ['UNAUTHENTICATED', 'REQUEST_LIMIT_EXCEEDED', 'CANCELLED']

/** Asks the registry to carry out each promotion that was decided. */
export const createPromoteJob = (deps: PromoterDeps): Job =>
  workOnClaims(deps, 'promote-versions', 'promote', async function promoteVersion(claimed, signal) {
    const refusal = await askRegistry(deps, claimed.decision, signal)
    const decided = await finishClaim(deps, claimed, (tx, decision) => afterAnswer(deps, tx, decision, refusal))
    if (decided) {
      const { decisionId, model, version, state, promotedGeneration } = decided
      deps.log.info('the registry answered a promotion', { decisionId, model, version, state, promotedGeneration, refusal: refusal?.message })
    }
    return workDone
  })

/** Null when the registry did it. The key names decision and generation: asking again after a lost reply gets the first answer. */
async function askRegistry(deps: PromoterDeps, decision: Decision, signal: AbortSignal): Promise<AppError | null> {
  const { decisionId, model: name, version, generation, reason } = decision
  const body = { name, version, stage: 'Production', archive_existing_versions: 'true', expected_generation: generation, reason, decision_id: decisionId }
  try {
    await deps.registry.call({
      method: 'POST',
      path: '/api/2.0/mlflow/model-versions/transition-stage',
      body,
      headers: { 'idempotency-key': `${decisionId}:${generation}` },
      response: modelVersionResponse,
      signal,
    })
    return null
  } catch (error) {
    if (error instanceof AppError && !PASSING.includes(error.code)) return error
    throw error
  }
}

async function afterAnswer(deps: PromoterDeps, tx: Sql, decision: Decision, refusal: AppError | null): Promise<Transition> {
  if (refusal?.code === 'STALE_GENERATION') return afterStaleGeneration(decision, deps.config.PROMOTER_MAX_ROUNDS)
  if (refusal) return afterRefusal(decision, refusal.message)
  const now = deps.clock()
  // The registry refuses any generation but the expected one, and each change adds one.
  const promotedGeneration = decision.generation + 1
  const promoted = afterPromotion(decision, promotedGeneration, new Date(now.getTime() + deps.config.PROMOTER_WATCH_MS))
  return promoted && settle(tx, promoted, now)
}

/** Pods may have reported before the registry's answer was here. */
async function settle(tx: Sql, promoted: NonNullable<Transition>, now: Date): Promise<Transition> {
  const { model, version, promotedGeneration } = promoted.next
  const seen = await observationsSince(tx, model, version, promotedGeneration ?? 0)
  return seen.reduce((transition, observation) => {
    const next = observation.kind === 'activated' ? onActivated(transition.next, observation) : onLoadFailed(transition.next, observation, now)
    return next ? { next: next.next, announcements: [...transition.announcements, ...next.announcements] } : transition
  }, promoted)
}
