import { modelPromoted, modelRolledBack, modelVersionDeleted, modelVersionRegistered } from '@millrace/contracts/events/model-events.ts'
import { servingActivated, servingLoadFailed } from '@millrace/contracts/events/serving-events.ts'
import { done, type EventHandler, type Outcome, on, skip } from '@millrace/platform/events/handler.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { applyTransition } from './apply-transition.ts'
import type { PromoterDeps } from './deps.ts'
import { type Decision, isOpen, onActivated, onLoadFailed, rejectUnservable, supersede, type Transition } from './domain/decision.ts'
import { insertObservation } from './observation-store.ts'
import { policyOf } from './policies.ts'
import { insertDecision, liveDecisions, lockModel } from './store.ts'

type EventDeps = Pick<PromoterDeps, 'clock' | 'newId' | 'publish' | 'config' | 'log' | 'metrics'>

const PRODUCTION_ARM = 'production'

/** What the promoter makes of events. Each handler locks the model first, so that what it publishes leaves in the order of the changes. */
export const createHandlers = (deps: EventDeps): readonly EventHandler[] => [
  on(modelVersionRegistered, async function onRegistered({ data }, tx) {
    await lockModel(tx, data.model)
    const { policyVersion, policy } = await policyOf(deps, tx, data.model)
    const decision = newDecision(deps.newId(), data.model, data.version, policyVersion, policy)
    if (!(await insertDecision(tx, decision, deps.clock()))) return skip('this version was decided on under this policy already')
    if (!data.servable) await applyIfAny(deps, tx, rejectUnservable(decision, data.unservableReason ?? 'the registry says so'))
    return done
  }),
  on(servingActivated, async function onServingActivated({ data }, tx) {
    if (data.arm !== PRODUCTION_ARM) return skip('not the Production arm')
    return observe(deps, tx, data.model, { ...data, kind: 'activated', message: '' }, (decision) => onActivated(decision, data))
  }),
  on(servingLoadFailed, async function onServingLoadFailed({ data }, tx) {
    if (data.arm !== PRODUCTION_ARM) return skip('not the Production arm')
    if (data.kind !== 'deterministic') return skip('a transient fault: the pod tries again')
    const message = `${data.stage}: ${data.message}`
    return observe(deps, tx, data.model, { ...data, kind: 'load-failed', message }, (decision) => onLoadFailed(decision, { ...data, message }, deps.clock()))
  }),
  on(modelPromoted, async function onPromoted({ data }, tx) {
    return replaced(deps, tx, data)
  }),
  on(modelRolledBack, async function onRolledBack({ data }, tx) {
    return replaced(deps, tx, data)
  }),
  on(modelVersionDeleted, async function onDeleted({ data }, tx) {
    const gone = (decision: Decision) => (decision.version === data.version && isOpen(decision) ? supersede(decision, `Deleted by ${data.deletedBy}`) : null)
    return forEachLive(deps, tx, data.model, gone)
  }),
]

const newDecision = (decisionId: string, model: string, version: string, policyVersion: number, policy: Decision['policy']): Decision => ({
  ...{ decisionId, model, version, policyVersion, policy },
  ...{ state: 'evaluating', championVersion: null, generation: 0, gates: [], reason: '', decidedBy: 'promoter', approval: null },
  ...{ promotedGeneration: null, watchUntil: null, rollbackReason: null, round: 0 },
})

async function observe(
  deps: EventDeps,
  tx: Sql,
  model: string,
  seen: { version: string; generation: number; kind: 'activated' | 'load-failed'; message: string },
  decide: (decision: Decision) => Transition,
): Promise<Outcome> {
  await lockModel(tx, model)
  await insertObservation(tx, model, seen)
  return forEachLive(deps, tx, model, decide)
}

/** Another version went to Production after ours did: its roll-out is over. */
async function replaced(deps: EventDeps, tx: Sql, seen: { model: string; version: string; generation: number; promotedBy: string }): Promise<Outcome> {
  return forEachLive(deps, tx, seen.model, (decision) => {
    const ours = decision.promotedGeneration
    const over = ours !== null && seen.generation > ours && seen.version !== decision.version && decision.rollbackReason === null
    return over ? supersede(decision, `Version ${seen.version} went to Production (${seen.promotedBy})`) : null
  })
}

async function forEachLive(deps: EventDeps, tx: Sql, model: string, decide: (decision: Decision) => Transition): Promise<Outcome> {
  await lockModel(tx, model)
  for (const { decision } of await liveDecisions(tx, model, deps.clock())) await applyIfAny(deps, tx, decide(decision))
  return done
}

async function applyIfAny(deps: EventDeps, tx: Sql, transition: Transition): Promise<void> {
  if (!transition) return
  await applyTransition(deps, tx, transition)
  const { decisionId, model, version, state, reason } = transition.next
  deps.log.info('an event changed a decision', { decisionId, model, version, state, reason })
}
