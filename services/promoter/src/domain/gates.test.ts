import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import type { Evaluation, Signature } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { pairedDifference } from './compare-rows.ts'
import { type Facts, failureSummary, gateName, gatesPassed, judgeGates } from './gates.ts'
import { missingGates, policyProblems, requiredGates } from './policy.ts'

const open: PromotionPolicy = {
  metrics: {},
  champion: null,
  signatureCompatible: false,
  maxSizeBytes: null,
  maxLatencyMs: null,
  parityTolerance: null,
  approval: 'auto',
  directPromotion: 'allowed',
}
const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 2] }],
}
const evaluation = (predicted: readonly string[], datasetDigest = 'd'): Evaluation => ({
  ...{ datasetDigest, split: 'test', classes: ['a', 'b'] },
  rows: predicted.map((value, index) => ({ id: String(index), actual: 'a', predicted: value, confidence: 1 })),
})
const missing = (reason: string) => ({ kind: 'missing' as const, reason })
const facts: Facts = {
  metrics: { test_accuracy: 0.93, test_loss: 0.2 },
  sizeBytes: 1000,
  signature,
  champion: null,
  evaluations: missing('not asked for'),
  latency: { kind: 'measured', value: { medianMs: 3, runs: 21 } },
  parity: { kind: 'measured', value: { maxDifference: 1e-6, values: 30 } },
}
const judge = (policy: Partial<PromotionPolicy>, changed: Partial<Facts> = {}) => judgeGates({ ...open, ...policy }, { ...facts, ...changed })
const outcomeOf = (gate: string, policy: Partial<PromotionPolicy>, changed: Partial<Facts> = {}) =>
  judge(policy, changed).find((one) => gateName(one) === gate)?.outcome

test('a policy that asks for nothing is passed, and every figure that was measured is told', () => {
  const gates = judge({})
  expect(gatesPassed(gates)).toBe(true)
  expect(gates.find((gate) => gate.gate === 'size')).toMatchObject({ outcome: 'skipped', measured: 1000 })
})

test('metrics are held against both bounds, which belong to the allowed range', () => {
  expect(outcomeOf('metric:test_accuracy', { metrics: { test_accuracy: { min: 0.93, max: 0.93 } } })).toBe('pass')
  expect(outcomeOf('metric:test_accuracy', { metrics: { test_accuracy: { min: 0.94 } } })).toBe('fail')
  expect(outcomeOf('metric:test_loss', { metrics: { test_loss: { max: 0.1 } } })).toBe('fail')
})

test('a metric that the run does not have fails and names those it has', () => {
  expect(failureSummary(judge({ metrics: { f1: { min: 0.5 } } }))).toBe("metric:f1: the run has no metric 'f1'; it has test_accuracy, test_loss")
})

test('without a champion there is nothing to compare with and nothing to be compatible with', () => {
  const policy = { champion: { metric: 'accuracy' as const, epsilon: 0 }, signatureCompatible: true }
  expect(outcomeOf('champion', policy)).toBe('skipped')
  expect(outcomeOf('signature', policy)).toBe('skipped')
})

const champion = { version: '1', signature }
const against = (own: string[], other: string[], epsilon: number) =>
  judge(
    { champion: { metric: 'accuracy', epsilon } },
    { champion, evaluations: { kind: 'measured', value: { challenger: evaluation(own), champion: evaluation(other) } } },
  ).find((gate) => gate.gate === 'champion')

test('the challenger may be worse by at most epsilon on the same rows, and the paired counts are the evidence', () => {
  expect(against(['a', 'b', 'b', 'a'], ['a', 'a', 'b', 'a'], 0.25)).toMatchObject({ outcome: 'pass', measured: -0.25, limit: -0.25 })
  const worse = against(['a', 'b', 'b', 'a'], ['a', 'a', 'b', 'a'], 0.2)
  expect(worse).toMatchObject({ outcome: 'fail', evidence: { bothRight: 2, onlyChallenger: 0, onlyChampion: 1, bothWrong: 1, rows: 4, datasetDigest: 'd' } })
})

test('a comparison that could not be made fails and says why', () => {
  const gates = judge({ champion: { metric: 'accuracy', epsilon: 1 } }, { champion, evaluations: missing('the data changed') })
  expect(failureSummary(gates)).toBe('champion: not comparable with version 1: the data changed')
})

test('inputs and outputs must be those of the Production version', () => {
  expect(outcomeOf('signature', { signatureCompatible: true }, { champion })).toBe('pass')
  const wider = { ...signature, outputs: [{ name: 'p', datatype: 'FP32' as const, shape: [-1, 3] }] }
  const gates = judge({ signatureCompatible: true }, { champion, signature: wider })
  expect(failureSummary(gates)).toBe('signature: differs from version 1: output 0 is p FP32[-1, 3], was p FP32[-1, 2]')
  expect(outcomeOf('signature', { signatureCompatible: true }, { champion, signature: null })).toBe('fail')
})

test('size and latency are limits that may be reached', () => {
  expect(outcomeOf('size', { maxSizeBytes: 1000 })).toBe('pass')
  expect(outcomeOf('size', { maxSizeBytes: 999 })).toBe('fail')
  expect(outcomeOf('latency', { maxLatencyMs: 3 })).toBe('pass')
  expect(outcomeOf('latency', { maxLatencyMs: 2.9 })).toBe('fail')
  expect(outcomeOf('latency', { maxLatencyMs: 3 }, { latency: missing('no rows') })).toBe('fail')
})

test('parity fails on too large a difference, on one that is not a number, and without stored rows', () => {
  expect(outcomeOf('parity', { parityTolerance: 1e-4 })).toBe('pass')
  for (const maxDifference of [2e-4, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(outcomeOf('parity', { parityTolerance: 1e-4 }, { parity: { kind: 'measured', value: { maxDifference, values: 3 } } })).toBe('fail')
  }
  expect(outcomeOf('parity', { parityTolerance: 1e-4 }, { parity: missing('no parity rows') })).toBe('fail')
  expect(outcomeOf('parity', { parityTolerance: null }, { parity: missing('no parity rows') })).toBe('skipped')
})

test('a policy names the gates it asks for', () => {
  expect(requiredGates({ ...open, metrics: { a: { min: 1 } }, champion: { metric: 'accuracy', epsilon: 0 }, parityTolerance: 1 })).toEqual([
    'metric:a',
    'champion',
    'parity',
  ])
})

test('a policy that can never be passed is refused with the reason', () => {
  const metrics = { 'bad\nname': { min: 1 }, a: {}, b: { min: 2, max: 1 }, fine: { min: 0 } }
  const problems = policyProblems({ ...open, metrics })
  expect(problems).toHaveLength(3)
  expect(problems[0]).toContain('no run can have a metric of this name')
  expect(problems[1]).toContain('give "min", "max" or both')
  expect(problems[2]).toContain('"min" 2 is above "max" 1')
})

test('a gate that was passed under an older policy counts while its rule is the same', () => {
  const older = { ...open, metrics: { test_accuracy: { min: 0.9 } }, parityTolerance: 1e-4 }
  const decided = { policy: older, gates: judge(older) }
  expect(missingGates(older, decided)).toEqual([])
  expect(missingGates({ ...older, metrics: { test_accuracy: { min: 0.91 } }, maxSizeBytes: 5000 }, decided)).toEqual(['metric:test_accuracy', 'size'])
  expect(missingGates(older, null)).toEqual(['metric:test_accuracy', 'parity'])
})

test('the comparison can be recomputed from the counts in its evidence', () => {
  const gate = against(['a', 'b', 'b', 'a', 'a'], ['a', 'a', 'b', 'b', 'a'], 0.1)
  const counts = z.looseObject({ bothRight: z.int(), onlyChallenger: z.int(), onlyChampion: z.int(), bothWrong: z.int() }).parse(gate?.evidence)
  const again = pairedDifference(counts)
  expect(gate?.evidence).toMatchObject({ ...again })
  expect(gate?.measured).toBe(again.difference)
  expect(gate?.outcome).toBe(again.difference >= (gate?.limit ?? 0) ? 'pass' : 'fail')
})
