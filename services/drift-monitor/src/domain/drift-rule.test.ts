import { type DriftPolicy, defaultDriftPolicy } from '@millrace/contracts/http/drift.ts'
import type { NumericProfile, ReferenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findProfileProblem } from './check-profile.ts'
import { countRows, mergeCounts, type Row } from './feature-counts.ts'
import { judgeWindow } from './judge-window.ts'

const policy: DriftPolicy = { ...defaultDriftPolicy, minWindowRows: 300 }

/** Deterministic values spread evenly over [low, high). */
const spread = (rows: number, low: number, high: number): number[] => Array.from({ length: rows }, (_, i) => low + (high - low) * ((i * 0.6180339887) % 1))

function numericProfile(name: string, values: readonly number[]): NumericProfile {
  const sorted = values.toSorted((left, right) => left - right)
  const edges = [...new Set(Array.from({ length: 9 }, (_, i) => sorted[Math.floor(((i + 1) / 10) * (sorted.length - 1))] ?? 0))]
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  const empty: NumericProfile = {
    kind: 'numeric',
    name,
    edges,
    counts: Array.from({ length: edges.length + 1 }, () => 0),
    missing: 0,
    fine: { min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0, counts: Array.from({ length: 256 }, () => 0) },
    mean,
    std,
  }
  const counted = countRows(
    { ...profile, features: [empty] },
    values.map((value) => ({ [name]: value })),
  )[name]
  if (counted?.kind !== 'numeric') throw new Error('expected numeric counts')
  return { ...empty, counts: [...counted.bins], fine: { ...empty.fine, counts: [...counted.fine] } }
}

const profile: ReferenceProfile = {
  schemaVersion: 1,
  datasetDigest: 'd',
  split: 'test',
  rows: 1000,
  features: [{ kind: 'categorical', name: 'predicted_class', categories: ['pike', 'perch'], counts: [600, 400], other: 0, missing: 0 }],
}
const reference: ReferenceProfile = { ...profile, features: [numericProfile('brightness', spread(1000, 0.3, 0.6)), ...profile.features] }

const rowsOf = (brightness: readonly number[], classOf: (index: number) => string): Row[] =>
  brightness.map((value, index) => ({ brightness: value, predicted_class: classOf(index) }))
const usualClass = (index: number): string => (index % 5 < 3 ? 'pike' : 'perch')
const judge = (rows: readonly Row[], changed: DriftPolicy = policy) => judgeWindow(reference, countRows(reference, rows), rows.length, changed)

test('the same traffic as the reference is ok', () => {
  expect(judge(rowsOf(spread(500, 0.3, 0.6), usualClass))).toMatchObject({ verdict: 'ok', severity: 'none', driftedShare: 0 })
})

test('a large and significant move of half the features is drift, with the figures of each', () => {
  const judgement = judge(rowsOf(spread(500, 0.1, 0.4), usualClass))
  expect(judgement).toMatchObject({ verdict: 'drift', severity: 'critical', driftedShare: 0.5 })
  expect(judgement.features).toMatchObject([
    { feature: 'brightness', drifted: true, severity: 'critical' },
    { feature: 'predicted_class', drifted: false, severity: 'none' },
  ])
})

test('below the smallest window there is no verdict, however far the traffic moved', () => {
  expect(judge(rowsOf(spread(299, 0.9, 1), usualClass))).toEqual({ verdict: 'insufficient_data', severity: 'none', driftedShare: 0, features: [] })
  expect(judge(rowsOf(spread(99, 0.9, 1), usualClass), { ...policy, minWindowRows: 10 }).verdict).toBe('insufficient_data')
})

test('without a reference there is no verdict', () => {
  expect(judgeWindow(null, {}, 1000, policy).verdict).toBe('no_reference')
})

test('a significant trifle in a large window is no drift: the effect is too small', () => {
  const rows = rowsOf(spread(20_000, 0.3, 0.6), (index) => (index % 100 < 54 ? 'pike' : 'perch'))
  const feature = judge(rows).features.find((candidate) => candidate.feature === 'predicted_class')
  expect(feature?.adjustedPValue).toBeLessThan(0.05)
  expect(feature?.drifted).toBe(false)
})

test('a large effect that chance explains is no drift', () => {
  const small: ReferenceProfile = {
    ...profile,
    features: [{ kind: 'categorical', name: 'predicted_class', categories: ['pike', 'perch'], counts: [6, 4], other: 0, missing: 0 }],
  }
  const rows = Array.from({ length: 400 }, (_, index) => ({ predicted_class: index % 10 < 4 ? 'pike' : 'perch' }))
  const [feature] = judgeWindow(small, countRows(small, rows), 400, policy).features
  expect(feature?.psi).toBeGreaterThan(policy.psiWarning)
  expect(feature?.drifted).toBe(false)
})

test('a feature that goes missing is drift', () => {
  const rows = Array.from({ length: 500 }, (_, index) => ({ brightness: null, predicted_class: usualClass(index) }))
  expect(judge(rows).features[0]).toMatchObject({ feature: 'brightness', drifted: true, severity: 'critical' })
})

test('a constant reference that stays constant is ok, one that moves either way is drift', () => {
  const constant: ReferenceProfile = {
    ...profile,
    features: [
      numericProfile(
        'aspect_ratio',
        Array.from({ length: 500 }, () => 0.75),
      ),
    ],
  }
  const rowsAt = (value: number): Row[] => Array.from({ length: 500 }, () => ({ aspect_ratio: value }))
  const verdictAt = (value: number) => judgeWindow(constant, countRows(constant, rowsAt(value)), 500, policy).verdict
  expect([verdictAt(0.75), verdictAt(1.33), verdictAt(0.5)]).toEqual(['ok', 'drift', 'drift'])
})

test('an unseen category is drift once it is frequent enough', () => {
  const rows = rowsOf(spread(1000, 0.3, 0.6), (index) => (index % 4 === 0 ? 'sturgeon' : usualClass(index)))
  expect(judge(rows).features[1]).toMatchObject({ feature: 'predicted_class', drifted: true })
})

const row = fc.record({
  brightness: fc.oneof(fc.double({ min: -1, max: 2, noNaN: true }), fc.constant(null), fc.constant('dark')),
  predicted_class: fc.constantFrom('pike', 'perch', 'sturgeon', null),
})

test('counts do not depend on how the rows were batched, and no row is lost', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), fc.nat(60), (rows, cut) => {
      const whole = countRows(reference, rows)
      expect(mergeCounts(countRows(reference, rows.slice(0, cut)), countRows(reference, rows.slice(cut)))).toEqual(whole)
      const brightness = Object.values(whole).find((counts) => counts.kind === 'numeric')
      if (!brightness) throw new Error('expected numeric counts')
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
      expect(sum(brightness.bins) + brightness.missing).toBe(rows.length)
      expect(sum(brightness.fine) + brightness.below + brightness.above + brightness.missing).toBe(rows.length)
    }),
  )
})

test('a profile that contradicts itself is named with what is wrong', () => {
  const [brightness] = reference.features
  if (brightness?.kind !== 'numeric') throw new Error('expected a numeric feature')
  expect(findProfileProblem(reference)).toBeNull()
  expect(findProfileProblem({ ...reference, features: [brightness, brightness] })).toBe("feature 'brightness' appears twice")
  expect(findProfileProblem({ ...reference, features: [{ ...brightness, edges: [] }] })).toMatch(/0 edges but 10 counts/)
  expect(findProfileProblem({ ...reference, features: [{ ...brightness, edges: brightness.edges.toReversed() }] })).toMatch(/do not ascend/)
})
