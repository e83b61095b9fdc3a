import type { GateResult } from '@millrace/contracts/events/fields.ts'
import type { decisionStates, PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import { failureSummary, gatesPassed } from './gates.ts'

export type DecisionState = (typeof decisionStates)[number]

/** What the promoter makes of one version under one version of the policy. */
export interface Decision {
  readonly decisionId: string
  readonly model: string
  readonly version: string
  readonly policyVersion: number
  readonly policy: PromotionPolicy
  readonly state: DecisionState
  readonly championVersion: string | null
  /** Generation of the serving state that the gates were judged on. */
  readonly generation: number
  readonly gates: readonly GateResult[]
  readonly reason: string
  readonly decidedBy: string
  /** A person's approval, which holds as long as the champion stays the one they compared with. */
  readonly approval: { readonly by: string; readonly championVersion: string | null } | null
  /** Generation that the promotion made; null until the registry has answered. */
  readonly promotedGeneration: number | null
  /** Until when a pod that cannot load the version takes the promotion back. */
  readonly watchUntil: Date | null
  /** Set when the registry is to be asked to roll back. */
  readonly rollbackReason: string | null
  /** How often the model moved on under the decision. */
  readonly round: number
}

export type Step = 'promoting' | 'serving' | 'rolled-back' | 'superseded'
export type Announcement = { kind: 'evaluated' } | { kind: 'rejected' } | { kind: 'stepped'; step: Step }

/** The decision after a change and what the world is told of it; null where nothing changes. */
export type Transition = { readonly next: Decision; readonly announcements: readonly Announcement[] } | null

const SELF = 'promoter'
const evaluated: Announcement = { kind: 'evaluated' }
const rejected: Announcement = { kind: 'rejected' }
const stepped = (step: Step): Announcement => ({ kind: 'stepped', step })
const change = (decision: Decision, fields: Partial<Decision>, ...announcements: Announcement[]): Transition => ({
  next: { ...decision, ...fields },
  announcements,
})

/** A decision nobody has judged or approved yet can still be passed over. */
export const isOpen = (decision: Decision): boolean => decision.state === 'evaluating' || decision.state === 'awaiting-approval'

export const rejectUnservable = (decision: Decision, why: string): Transition =>
  change(decision, { state: 'rejected', reason: `Cannot be served: ${why}`, decidedBy: SELF }, rejected)

/** Judged gates end in a refusal, in a promotion, or wait for a person. */
export function afterGates(decision: Decision, judged: { gates: readonly GateResult[]; championVersion: string | null; generation: number }): Transition {
  if (decision.state !== 'evaluating') return null
  const { approval } = decision
  const next = { ...decision, ...judged, decidedBy: SELF }
  if (!gatesPassed(judged.gates)) return change(next, { state: 'rejected', reason: failureSummary(judged.gates) }, evaluated, rejected)
  const approved = approval !== null && approval.championVersion === judged.championVersion
  if (approved) return change(next, { state: 'promoting', decidedBy: approval.by }, evaluated, stepped('promoting'))
  if (decision.policy.approval === 'auto') return change(next, { state: 'promoting', reason: 'All gates passed' }, evaluated, stepped('promoting'))
  return change(next, { state: 'awaiting-approval', approval: null, reason: 'All gates passed; waits for approval' }, evaluated)
}

export function approve(decision: Decision, by: string, reason: string): Transition {
  if (decision.state !== 'awaiting-approval') return null
  const approval = { by, championVersion: decision.championVersion }
  return change(decision, { state: 'promoting', decidedBy: by, reason, approval }, stepped('promoting'))
}

export function reject(decision: Decision, by: string, reason: string): Transition {
  if (decision.state !== 'awaiting-approval') return null
  return change(decision, { state: 'rejected', decidedBy: by, reason }, rejected)
}

/** The registry carried the promotion out; from now until `watchUntil` pods may still show that it was wrong. */
export function afterPromotion(decision: Decision, promotedGeneration: number, watchUntil: Date): Transition {
  if (!awaitsRegistry(decision)) return null
  return change(decision, { promotedGeneration, watchUntil })
}

/** Whether the registry still owes an answer to the promotion. */
export const awaitsRegistry = (decision: Decision): boolean => decision.state === 'promoting' && decision.promotedGeneration === null

/** The model moved on before the promotion: judge again on what is there now, but not for ever. */
export function afterStaleGeneration(decision: Decision, maxRounds: number): Transition {
  if (!awaitsRegistry(decision)) return null
  const round = decision.round + 1
  if (round < maxRounds) return change(decision, { state: 'evaluating', round })
  const reason = `The model's serving state changed ${round} times while this was being decided`
  return change(decision, { state: 'failed', round, reason }, stepped('superseded'))
}

/** The registry refused for a reason that asking again does not change. */
export function afterRefusal(decision: Decision, message: string): Transition {
  if (!awaitsRegistry(decision)) return null
  return change(decision, { state: 'rejected', decidedBy: 'registry', reason: `The registry refused: ${message}` }, rejected)
}

/** No evidence can be had, however often it is tried. */
export function afterUnjudgeable(decision: Decision, message: string): Transition {
  if (decision.state !== 'evaluating') return null
  return change(decision, { state: 'rejected', decidedBy: SELF, reason: message }, rejected)
}

export interface Seen {
  readonly version: string
  readonly generation: number
}

const concerns = (decision: Decision, seen: Seen): boolean =>
  decision.promotedGeneration !== null && seen.version === decision.version && seen.generation >= decision.promotedGeneration

/** A pod answers with the version as Production. */
export function onActivated(decision: Decision, seen: Seen): Transition {
  if (decision.state !== 'promoting' || decision.rollbackReason !== null || !concerns(decision, seen)) return null
  return change(decision, { state: 'promoted' }, stepped('serving'))
}

/** A pod will never be able to load the version: while the promotion is watched, that takes it back. */
export function onLoadFailed(decision: Decision, seen: Seen & { message: string }, now: Date): Transition {
  const live = decision.state === 'promoting' || decision.state === 'promoted'
  if (!live || decision.rollbackReason !== null || !concerns(decision, seen)) return null
  if (decision.watchUntil !== null && now > decision.watchUntil) return null
  return change(decision, { rollbackReason: seen.message, reason: `A pod cannot load it: ${seen.message}` })
}

/** The roll-back is over, done or impossible; `message` tells which. */
export function afterRollback(decision: Decision, message: string): Transition {
  if (decision.rollbackReason === null || decision.state === 'failed') return null
  return change(decision, { state: 'failed', reason: `${decision.reason}. ${message}` }, stepped('rolled-back'))
}

/** Another version took its place, or the version is gone. A promotion that pods already serve stays what it was: history. */
export function supersede(decision: Decision, reason: string): Transition {
  if (!isOpen(decision) && decision.state !== 'promoting') return null
  return change(decision, { state: 'superseded', reason }, stepped('superseded'))
}
