import { modelVersionEvaluated, promotionRejected, rolloutStepped } from '@millrace/contracts/events/promotion-events.ts'
import type { Publish } from '@millrace/platform/events/handler.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { instruments, type PromoterDeps } from './deps.ts'
import type { Announcement, Decision, Transition } from './domain/decision.ts'
import { gatesPassed } from './domain/gates.ts'
import { findDecision, lockModel, type StoredDecision, saveDecision } from './store.ts'

export type ApplyDeps = Pick<PromoterDeps, 'publish' | 'clock' | 'metrics'>

/** Writes what a transition says and tells the world of it; the caller holds the model's lock. Answers the decision as it is then. */
export async function applyTransition(deps: ApplyDeps, tx: Sql, transition: NonNullable<Transition>): Promise<Decision> {
  await saveDecision(tx, transition.next, deps.clock())
  for (const announcement of transition.announcements) await announce(deps.publish, tx, transition.next, announcement)
  count(deps, transition)
  return transition.next
}

function count(deps: ApplyDeps, { next, announcements }: NonNullable<Transition>): void {
  const { decisions, gates } = instruments(deps.metrics)
  decisions.add({ state: next.state })
  const judged = announcements.some(({ kind }) => kind === 'evaluated')
  for (const { gate, outcome } of judged ? next.gates : []) gates.add({ gate, outcome })
}

async function announce(publish: Publish, tx: Sql, decision: Decision, announcement: Announcement): Promise<void> {
  const { decisionId, model, version, championVersion, policyVersion, generation, reason } = decision
  const evidence = { decisionId, model, version, championVersion, policyVersion, generation, gates: [...decision.gates] }
  switch (announcement.kind) {
    case 'evaluated': {
      const outcome = gatesPassed(decision.gates) ? 'passed' : 'failed'
      return publish(tx, { definition: modelVersionEvaluated, subject: model, data: { ...evidence, outcome, approval: decision.policy.approval } })
    }
    case 'rejected':
      return publish(tx, { definition: promotionRejected, subject: model, data: { ...evidence, reason, rejectedBy: decision.decidedBy } })
    case 'stepped': {
      const step = { step: announcement.step, generation: decision.promotedGeneration ?? generation, message: reason }
      return publish(tx, { definition: rolloutStepped, subject: model, data: { decisionId, model, version, ...step } })
    }
  }
}

/**
 * Saves what a job made of a decision, unless somebody changed or took the decision in between: then nothing happens, and whoever has it now goes on.
 * `decide` runs on the decision as it is under the lock, which is the one that was claimed.
 */
export async function finishClaim(
  deps: ApplyDeps & Pick<PromoterDeps, 'database'>,
  claimed: StoredDecision,
  decide: (tx: Sql, decision: Decision) => Promise<Transition>,
): Promise<Decision | null> {
  const { decisionId, model } = claimed.decision
  return deps.database.transaction(async (tx) => {
    await lockModel(tx, model)
    const current = await findDecision(tx, decisionId)
    if (!current || current.revision !== claimed.revision) return null
    const transition = await decide(tx, current.decision)
    return transition ? applyTransition(deps, tx, transition) : null
  })
}
