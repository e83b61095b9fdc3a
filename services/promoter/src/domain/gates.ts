import type { GateResult } from '@millrace/contracts/events/fields.ts'
import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import type { Evaluation, Signature, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { pairedDifference, pairRows } from './compare-rows.ts'

/** A figure that somebody had to measure, or why it could not be. */
export type Measured<T> = { kind: 'measured'; value: T } | { kind: 'missing'; reason: string }

/** A comparison that there is nothing to make with, through no fault of the model. */
export interface Waived {
  readonly kind: 'waived'
  readonly reason: string
}

/** Everything the gates look at, gathered before they are judged. */
export interface Facts {
  readonly metrics: Readonly<Record<string, number>>
  readonly sizeBytes: number
  readonly signature: Signature | null
  readonly champion: { readonly version: string; readonly signature: Signature | null } | null
  readonly evaluations: Measured<{ readonly challenger: Evaluation; readonly champion: Evaluation }> | Waived
  /** Median milliseconds of one prediction of one row. */
  readonly latency: Measured<{ readonly medianMs: number; readonly runs: number }>
  /** Largest absolute difference between the stored answers and those of the ONNX files. */
  readonly parity: Measured<{ readonly maxDifference: number; readonly values: number }> | Waived
}

type Judged = Pick<GateResult, 'outcome' | 'message'> & Partial<Pick<GateResult, 'measured' | 'limit' | 'evidence'>>
const result = (gate: string, judged: Judged): GateResult => ({ gate, measured: null, limit: null, evidence: {}, ...judged })
const failed = (message: string): Judged => ({ outcome: 'fail', message })
const skipped = (message: string): Judged => ({ outcome: 'skipped', message })

/** Judges every gate of the policy; gates that it does not ask for are left out or, where they were measured anyway, skipped. */
export function judgeGates(policy: PromotionPolicy, facts: Facts): GateResult[] {
  return [
    ...Object.entries(policy.metrics).map(([metric, bounds]) => {
      const judged = judgeMetric(metric, bounds, facts.metrics)
      return result('metric', { ...judged, evidence: { metric, ...bounds } })
    }),
    result('champion', judgeChampion(policy.champion, facts)),
    result('signature', judgeSignature(policy.signatureCompatible, facts)),
    result('size', judgeSize(policy.maxSizeBytes, facts.sizeBytes)),
    result('latency', judgeLatency(policy.maxLatencyMs, facts.latency)),
    result('parity', judgeParity(policy.parityTolerance, facts.parity)),
  ]
}

export const gatesPassed = (gates: readonly GateResult[]): boolean => gates.every((gate) => gate.outcome !== 'fail')

/** Metric gates carry their metric's name, so that a list of names tells them apart. */
export const gateName = (gate: GateResult): string => (gate.gate === 'metric' ? `metric:${String(gate.evidence['metric'])}` : gate.gate)

/** One line about the gates that failed. */
export const failureSummary = (gates: readonly GateResult[]): string =>
  gates
    .filter((gate) => gate.outcome === 'fail')
    .map((gate) => `${gateName(gate)}: ${gate.message}`)
    .join('; ')

function judgeMetric(name: string, { min, max }: { min?: number | undefined; max?: number | undefined }, metrics: Facts['metrics']): Judged {
  const value = Object.hasOwn(metrics, name) ? metrics[name] : undefined
  if (value === undefined) {
    const known = Object.keys(metrics).sort((a, b) => (a < b ? -1 : 1))
    return failed(`the run has no metric '${name}'; it has ${known.length > 0 ? known.join(', ') : 'none at all'}`)
  }
  const low = min !== undefined && !(value >= min)
  const high = max !== undefined && !(value <= max)
  const bound = low ? `below the minimum ${min}` : high ? `above the maximum ${max}` : 'within bounds'
  const limit = (high ? max : min) ?? max ?? null
  return { outcome: low || high ? 'fail' : 'pass', message: `${value} is ${bound}`, measured: value, limit }
}

function judgeChampion(rule: PromotionPolicy['champion'], facts: Facts): Judged {
  if (!rule) return skipped('the policy does not ask for a comparison')
  if (!facts.champion) return skipped('there is no Production version to compare with')
  if (facts.evaluations.kind === 'waived') return skipped(`not available, so not compared with version ${facts.champion.version}: ${facts.evaluations.reason}`)
  if (facts.evaluations.kind === 'missing') return failed(`not comparable with version ${facts.champion.version}: ${facts.evaluations.reason}`)
  const { challenger, champion } = facts.evaluations.value
  const paired = pairRows(challenger, champion)
  if (paired.kind === 'not-comparable') return failed(`not comparable with version ${facts.champion.version}: ${paired.reason}`)
  const figures = pairedDifference(paired.counts)
  const outcome = figures.difference >= -rule.epsilon ? 'pass' : 'fail'
  return {
    outcome,
    message: `accuracy ${share(figures.challengerAccuracy)} against ${share(figures.championAccuracy)} of version ${facts.champion.version} on the same ${figures.rows} rows`,
    measured: figures.difference,
    limit: -rule.epsilon,
    evidence: {
      test: 'paired accuracy difference',
      alpha: 0.05,
      datasetDigest: challenger.datasetDigest,
      split: challenger.split,
      ...paired.counts,
      ...figures,
    },
  }
}

const share = (value: number): string => `${(value * 100).toFixed(1)} %`

function judgeSignature(asked: boolean, facts: Facts): Judged {
  if (!asked) return skipped('the policy does not ask for it')
  if (!facts.champion) return skipped('there is no Production version to be compatible with')
  if (!facts.champion.signature) return skipped(`Production version ${facts.champion.version} has no signature`)
  if (!facts.signature) return failed('the version has no signature')
  const differences = [
    ...differing('input', facts.signature.inputs, facts.champion.signature.inputs),
    ...differing('output', facts.signature.outputs, facts.champion.signature.outputs),
  ]
  const evidence = { championVersion: facts.champion.version, differences }
  if (differences.length === 0) return { outcome: 'pass', message: `the same as that of version ${facts.champion.version}`, evidence }
  return { outcome: 'fail', message: `differs from version ${facts.champion.version}: ${differences.join('; ')}`, evidence }
}

const describe = (tensor: TensorSpec | undefined): string => (tensor ? `${tensor.name} ${tensor.datatype}[${tensor.shape.join(', ')}]` : 'nothing')

function differing(side: string, own: readonly TensorSpec[], other: readonly TensorSpec[]): string[] {
  const positions = Array.from({ length: Math.max(own.length, other.length) }, (_, index) => index)
  return positions
    .filter((index) => describe(own[index]) !== describe(other[index]))
    .map((index) => `${side} ${index} is ${describe(own[index])}, was ${describe(other[index])}`)
}

function judgeSize(limit: number | null, sizeBytes: number): Judged {
  if (limit === null) return { ...skipped('the policy sets no limit'), measured: sizeBytes }
  const outcome = sizeBytes <= limit ? 'pass' : 'fail'
  return { outcome, message: `${sizeBytes} bytes, at most ${limit} are allowed`, measured: sizeBytes, limit }
}

function judgeLatency(limit: number | null, latency: Facts['latency']): Judged {
  if (latency.kind === 'missing') return limit === null ? skipped('the policy sets no limit') : { ...failed(`not measured: ${latency.reason}`), limit }
  const { medianMs, runs } = latency.value
  const evidence = { statistic: 'median of single-row runs', runs }
  if (limit === null) return { ...skipped('the policy sets no limit'), measured: medianMs, evidence }
  const outcome = medianMs <= limit ? 'pass' : 'fail'
  return { outcome, message: `${medianMs.toFixed(2)} ms, at most ${limit} ms are allowed`, measured: medianMs, limit, evidence }
}

function judgeParity(tolerance: number | null, parity: Facts['parity']): Judged {
  if (tolerance === null) return skipped('the policy does not ask for it')
  if (parity.kind === 'waived') return { ...skipped(parity.reason), limit: tolerance }
  if (parity.kind === 'missing') return { ...failed(parity.reason), limit: tolerance }
  const { maxDifference, values } = parity.value
  // NaN must not pass: only a difference that is known to be small enough does.
  const outcome = maxDifference <= tolerance ? 'pass' : 'fail'
  const message = `the ONNX differs from the stored answers by at most ${maxDifference.toExponential(2)}; ${tolerance.toExponential(2)} is allowed`
  return { outcome, message, measured: Number.isFinite(maxDifference) ? maxDifference : null, limit: tolerance, evidence: { values } }
}
