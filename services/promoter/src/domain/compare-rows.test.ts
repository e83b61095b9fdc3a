import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pairedDifference, pairRows } from './compare-rows.ts'

const evaluation = (predictions: readonly string[], digest = 'd1'): Evaluation => ({
  datasetDigest: digest,
  split: 'test',
  classes: ['a', 'b'],
  rows: predictions.map((predicted, index) => ({ id: `test/${index}`, actual: 'a', predicted, confidence: 0.9 })),
})

test('rows are counted by who was right', () => {
  expect(pairRows(evaluation(['a', 'a', 'b', 'b']), evaluation(['a', 'b', 'a', 'b']))).toEqual({
    kind: 'comparable',
    counts: { bothRight: 1, onlyChallenger: 1, onlyChampion: 1, bothWrong: 1 },
  })
})

test('the order of the rows does not matter', () => {
  const other = evaluation(['a', 'b', 'a'])
  expect(pairRows(evaluation(['a', 'a', 'b']), { ...other, rows: other.rows.toReversed() })).toMatchObject({ counts: { onlyChampion: 1, onlyChallenger: 1 } })
})

test('different data are never compared', () => {
  expect(pairRows(evaluation(['a']), evaluation(['a'], 'd2'))).toEqual({ kind: 'not-comparable', reason: 'the two were evaluated on different data' })
})

test.each([
  ['no rows', [], []],
  ['another number of rows', ['a'], ['a', 'a']],
])('%s cannot be compared', (_, own, other) => {
  expect(pairRows(evaluation(own), evaluation(other)).kind).toBe('not-comparable')
})

test('rows of other names, with another truth, or twice cannot be compared', () => {
  const own = evaluation(['a', 'b'])
  const [first] = own.rows
  const strange = { ...own, rows: own.rows.map((row) => ({ ...row, id: `x${row.id}` })) }
  const contradicting = { ...own, rows: own.rows.map((row) => ({ ...row, actual: 'b' })) }
  const doubled = { ...own, rows: first ? [first, first] : [] }
  for (const other of [strange, contradicting, doubled]) expect(pairRows(own, other).kind).toBe('not-comparable')
})

test('the figures are those of the published method', () => {
  // Agresti and Min, Statistics in Medicine 24 (2005): adding 0.5 to each cell; recomputed by hand for 20, 12, 2, 6.
  const figures = pairedDifference({ bothRight: 20, onlyChallenger: 12, onlyChampion: 2, bothWrong: 6 })
  expect(figures).toMatchObject({ rows: 40, challengerAccuracy: 0.8, championAccuracy: 0.55, difference: 0.25 })
  expect(figures.interval[0]).toBeCloseTo(0.072325, 5)
  expect(figures.interval[1]).toBeCloseTo(0.403865, 5)
  // Exact binomial: 2 * P(X <= 2 | 14, 1/2) = 2 * 106 / 16384.
  expect(figures.pValue).toBeCloseTo(0.012939, 6)
})

test('the interval holds the difference, and swapping the models mirrors everything', () => {
  const count = fc.integer({ min: 0, max: 3000 })
  fc.assert(
    fc.property(count, count, count, count, (bothRight, onlyChallenger, onlyChampion, bothWrong) => {
      fc.pre(bothRight + onlyChallenger + onlyChampion + bothWrong > 0)
      const figures = pairedDifference({ bothRight, onlyChallenger, onlyChampion, bothWrong })
      const mirrored = pairedDifference({ bothRight, onlyChallenger: onlyChampion, onlyChampion: onlyChallenger, bothWrong })
      expect(figures.interval[0]).toBeLessThanOrEqual(figures.difference + 1e-12)
      expect(figures.interval[1]).toBeGreaterThanOrEqual(figures.difference - 1e-12)
      expect(mirrored.difference).toBeCloseTo(-figures.difference, 12)
      expect(mirrored.pValue).toBeCloseTo(figures.pValue, 12)
      expect(figures.pValue).toBeGreaterThanOrEqual(0)
      expect(figures.pValue).toBeLessThanOrEqual(1)
    }),
  )
})
