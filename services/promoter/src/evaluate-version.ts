import { messageOf, TransientError } from '@millrace/platform/errors.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { applyTransition, finishClaim } from './apply-transition.ts'
import type { PromoterDeps } from './deps.ts'
import { afterGates, afterUnjudgeable, type Decision, isOpen, supersede, type Transition } from './domain/decision.ts'
import { judgeGates } from './domain/gates.ts'
import { type Conclusive, type GatherDeps, type Gathered, gatherFacts } from './gather-facts.ts'
import { liveDecisions, type StoredDecision } from './store.ts'
import { type WorkOutcome, workDone, workOnClaims } from './work-on-claims.ts'

type EvaluateDeps = PromoterDeps & GatherDeps

/** With the growing pauses between them these take about two minutes. */
const MOST_FAILURES = 10

/** How long until the trainer is asked again whether it has finished comparing. */
const ASK_AGAIN_MS = 300

/** Runs the gates of each decision that waits for them. */
export const createEvaluateJob = (deps: EvaluateDeps): Job =>
  workOnClaims(deps, 'evaluate-versions', 'evaluate', async function evaluateVersion(claimed, signal): Promise<WorkOutcome> {
    const gathered = await gatherOrGiveUp(deps, claimed, signal)
    if (gathered.kind === 'wait') return { kind: 'later', afterMs: ASK_AGAIN_MS, reason: 'The trainer is comparing it with the Production version' }
    const decided = await finishClaim(deps, claimed, (tx, decision) => judge(deps, tx, decision, gathered))
    if (decided) {
      const { decisionId, model, version, state, reason } = decided
      deps.log.info('gates were run', { decisionId, model, version, state, reason })
    }
    return workDone
  })

/** Evidence that is refused again and again, and not for want of a connection, will not come: the decision must not wait for it for ever. */
async function gatherOrGiveUp(deps: EvaluateDeps, claimed: StoredDecision, signal: AbortSignal): Promise<Gathered> {
  try {
    return await gatherFacts(deps, claimed.decision, signal)
  } catch (error) {
    if (error instanceof TransientError || signal.aborted || claimed.failures < MOST_FAILURES) throw error
    return { kind: 'unjudgeable', reason: `The evidence cannot be had: ${messageOf(error)}` }
  }
}

async function judge(deps: EvaluateDeps, tx: Sql, decision: Decision, gathered: Conclusive): Promise<Transition> {
  switch (gathered.kind) {
    case 'pass-over':
      return supersede(decision, gathered.reason)
    case 'unjudgeable':
      return afterUnjudgeable(decision, gathered.reason)
    case 'facts': {
      const { facts, generation, championVersion } = gathered
      const transition = afterGates(decision, { gates: judgeGates(decision.policy, facts), championVersion, generation })
      if (transition && transition.next.state !== 'rejected') await passOverOlder(deps, tx, decision)
      return transition
    }
  }
}

/** A version that passed makes older ones pointless that nobody has judged or approved yet; one that failed leaves them as they are. */
async function passOverOlder(deps: EvaluateDeps, tx: Sql, newer: Decision): Promise<void> {
  for (const { decision } of await liveDecisions(tx, newer.model, deps.clock())) {
    const older = isOpen(decision) && Number(decision.version) < Number(newer.version)
    const transition = older ? supersede(decision, `Version ${newer.version}, which is newer, passed its gates`) : null
    if (transition) await applyTransition(deps, tx, transition)
  }
}
