import type { DriftPolicy } from '@millrace/contracts/http/drift.ts'
import type { Severity, Verdict } from './judge-window.ts'

/** How many further windows may be good among those that fire: 3 bad of the last 5. */
const TOLERATED_GOOD = 2

/** A closed window as the alert sees it. */
export interface WindowOutcome {
  readonly verdict: Verdict
  readonly severity: Severity
}

export interface AlertState {
  readonly alertId: string | null
  /** Until then no new alert fires. */
  readonly quietUntilMs: number | null
}

export type AlertDecision = { kind: 'fire'; severity: Exclude<Severity, 'none'> } | { kind: 'clear' } | { kind: 'none' }

/**
 * What the newest window means for the alert. `history` holds the windows since the last alert ended or the version took over, newest first. Windows without a verdict on drift
 * (too few rows, no reference) neither fire nor clear.
 */
export function decideAlert(state: AlertState, history: readonly WindowOutcome[], policy: DriftPolicy, nowMs: number): AlertDecision {
  const judged = history.filter((window) => window.verdict === 'ok' || window.verdict === 'drift')
  if (state.alertId !== null) return isClear(judged, policy) ? { kind: 'clear' } : { kind: 'none' }
  if (state.quietUntilMs !== null && nowMs < state.quietUntilMs) return { kind: 'none' }
  const bad = judged.slice(0, policy.fireAfter + TOLERATED_GOOD).filter((window) => window.verdict === 'drift')
  if (judged[0]?.verdict !== 'drift' || bad.length < policy.fireAfter) return { kind: 'none' }
  return { kind: 'fire', severity: bad.some((window) => window.severity === 'critical') ? 'critical' : 'warning' }
}

function isClear(judged: readonly WindowOutcome[], policy: DriftPolicy): boolean {
  const newest = judged.slice(0, policy.clearAfter)
  return newest.length === policy.clearAfter && newest.every((window) => window.verdict === 'ok')
}

/** How many of the newest windows `decideAlert` can look at. */
export const historyLength = (policy: DriftPolicy): number => Math.max(policy.fireAfter + TOLERATED_GOOD, policy.clearAfter)
