import type { GateResult } from '@millrace/contracts/events/fields.ts'
import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import { gateName } from './gates.ts'

/** What MLflow lets a metric be called; a name outside it can never have been logged. */
const METRIC_NAME = /^[\w.\-/: ]{1,250}$/

/** What is wrong with a policy beyond its shape, one sentence each; empty when it can be used. */
export function policyProblems(policy: PromotionPolicy): string[] {
  return Object.entries(policy.metrics).flatMap(([name, { min, max }]) => {
    const quoted = `metrics[${JSON.stringify(name)}]`
    if (!METRIC_NAME.test(name)) return [`${quoted}: no run can have a metric of this name: letters, digits, spaces and _ - . / : are allowed`]
    if (min === undefined && max === undefined) return [`${quoted}: give "min", "max" or both`]
    if (min !== undefined && max !== undefined && min > max) return [`${quoted}: "min" ${min} is above "max" ${max}: no value can pass`]
    return []
  })
}

/** Gates that the policy asks for, by the names that results and standings use. */
export function requiredGates(policy: PromotionPolicy): string[] {
  return [
    ...Object.keys(policy.metrics).map((name) => `metric:${name}`),
    ...(policy.champion ? ['champion'] : []),
    ...(policy.signatureCompatible ? ['signature'] : []),
    ...(policy.maxSizeBytes === null ? [] : ['size']),
    ...(policy.maxLatencyMs === null ? [] : ['latency']),
    ...(policy.parityTolerance === null ? [] : ['parity']),
  ]
}

/** What the policy says about one gate, comparable as text. */
function ruleOf(policy: PromotionPolicy, gate: string): string {
  const { metrics, champion, signatureCompatible, maxSizeBytes, maxLatencyMs, parityTolerance } = policy
  const rules: Record<string, unknown> = { champion, signature: signatureCompatible, size: maxSizeBytes, latency: maxLatencyMs, parity: parityTolerance }
  const { min, max } = metrics[gate.replace(/^metric:/, '')] ?? {}
  return JSON.stringify(gate.startsWith('metric:') ? [min, max] : rules[gate])
}

/** Gates of the policy that a version has not passed. A gate that was passed under an older policy counts where the rule is still the same. */
export function missingGates(policy: PromotionPolicy, decided: { readonly policy: PromotionPolicy; readonly gates: readonly GateResult[] } | null): string[] {
  const met = new Set(decided?.gates.filter(({ outcome }) => outcome !== 'fail').map(gateName))
  return requiredGates(policy).filter((gate) => !decided || !met.has(gate) || ruleOf(policy, gate) !== ruleOf(decided.policy, gate))
}
