import fc from 'fast-check'
import { expect, test } from 'vitest'
import { adjustPValues } from './benjamini-hochberg.ts'
import { golden } from './golden/drift-golden.ts'
import { foldedHomogeneity, homogeneity } from './homogeneity.ts'
import { chiSquareLimit, chiSquareTail } from './incomplete-gamma.ts'
import { jensenShannonDistance } from './jensen-shannon.ts'
import { exactGapTail, gapTail, largestGap, stephensGapTail } from './kolmogorov-smirnov.ts'
import { populationStability, stabilityLimit, stabilityTail } from './population-stability.ts'
import { normalisedBy, wassersteinOfBins } from './wasserstein.ts'

const series = (length: number, value: (index: number) => number): number[] => Array.from({ length }, (_, index) => value(index))
const small = {
  reference: series(200, (i) => 10 * Math.sin(1.3 * i) + 0.05 * i),
  current: series(150, (i) => 10 * Math.sin(1.7 * i) + 0.05 * i + 2.5),
}
const large = {
  reference: series(20_000, (i) => 3 * Math.sin(0.37 * i) + 0.1 * (i % 97)),
  current: series(5000, (i) => 3 * Math.sin(0.41 * i) + 0.11 * (i % 97)),
}

function expectGolden(got: number, expected: { value: number; relativeTolerance: number }): void {
  expect(Math.abs(got - expected.value), `got ${got}, expected ${expected.value}`).toBeLessThanOrEqual(expected.relativeTolerance * Math.abs(expected.value))
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}

/** Histogram over equal bins of the range of both sides. */
function histogram(values: readonly number[], bins: number, range: readonly number[]): { counts: number[]; width: number } {
  const low = range.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const high = range.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  const width = (high - low) / bins
  const counts = series(bins, () => 0)
  for (const value of values)
    counts.splice(Math.min(bins - 1, Math.floor((value - low) / width)), 1, (counts[Math.min(bins - 1, Math.floor((value - low) / width))] ?? 0) + 1)
  return { counts, width }
}

function decileCounts(values: readonly number[], reference: readonly number[]): number[] {
  const sorted = reference.toSorted((left, right) => left - right)
  const edges = series(9, (index) => {
    const at = ((index + 1) / 10) * (sorted.length - 1)
    const low = sorted[Math.floor(at)] ?? 0
    return low + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? 0) - low)
  })
  const counts = series(10, () => 0)
  for (const value of values) {
    const bin = edges.filter((edge) => value >= edge).length
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts
}

test('PSI on reference deciles is the published value', () => {
  expectGolden(populationStability(decileCounts(small.reference, small.reference), decileCounts(small.current, small.reference)), golden.numeric.decilePsi)
})

test('Jensen-Shannon distance on given bins is the published value', () => {
  expectGolden(jensenShannonDistance(golden.numeric.sturgesReference, golden.numeric.sturgesCurrent), golden.numeric.jensenShannon)
})

test.each([
  ['small', small, golden.numeric.normalisedWasserstein],
  ['large', large, golden.large.normalisedWasserstein],
] as const)('Wasserstein-1 from fine bins comes within a bin of the value from the raw rows (%s)', (_, data, expected) => {
  const range = [...data.reference, ...data.current]
  const reference = histogram(data.reference, 20_000, range)
  const distance = wassersteinOfBins(reference.counts, histogram(data.current, 20_000, range).counts, reference.width)
  const std = standardDeviation(data.reference)
  expect(Math.abs(normalisedBy(distance, std) - expected.value)).toBeLessThan(reference.width / std)
})

test.each([
  ['small', small, golden.numeric.gap],
  ['large', large, golden.large.gap],
] as const)('KS: the largest gap over fine bins is that of the raw rows (%s)', (_, data, expected) => {
  const range = [...data.reference, ...data.current]
  const gap = largestGap(histogram(data.reference, 100_000, range).counts, histogram(data.current, 100_000, range).counts)
  expect(Math.abs(gap - expected.value)).toBeLessThan(0.0005)
})

test('KS: the exact law and the Stephens series are the published values', () => {
  expectGolden(exactGapTail(golden.numeric.gap.value, 200, 150), golden.numeric.exactTail)
  expectGolden(stephensGapTail(golden.numeric.gap.value, 200, 150), golden.numeric.stephensTail)
  expectGolden(stephensGapTail(golden.large.gap.value, 20_000, 5000), golden.large.stephensTail)
})

test('KS: small samples get the exact law, large ones the series', () => {
  expect(gapTail(0.085, 200, 150)).toBe(exactGapTail(0.085, 200, 150))
  expect(gapTail(0.06185, 20_000, 5000)).toBe(stephensGapTail(0.06185, 20_000, 5000))
})

test.each([
  ['unseen category', golden.unseenCategory],
  ['same support', golden.sameSupport],
  ['binary, with Yates', golden.binary],
] as const)('homogeneity and PSI of categories are the published values (%s)', (_, expected) => {
  const result = homogeneity(expected.reference, expected.current)
  expectGolden(result.statistic, expected.statistic)
  expectGolden(result.pValue, expected.pValue)
  expect(result.degrees).toBe(expected.degrees)
  expectGolden(populationStability(expected.reference, expected.current), expected.psi)
})

test('Jensen-Shannon distance of categories is the published value', () => {
  for (const expected of [golden.unseenCategory, golden.sameSupport, golden.shares]) {
    expectGolden(jensenShannonDistance(expected.reference, expected.current), expected.jensenShannon)
  }
  expectGolden(populationStability(golden.shares.reference, golden.shares.current), golden.shares.psi)
})

test('Benjamini-Hochberg gives the published adjusted values, in any order', () => {
  const { pValues, adjusted } = golden.multipleTesting
  adjustPValues(pValues).forEach((value, index) => {
    expectGolden(value, { value: adjusted[index] ?? 0, relativeTolerance: 1e-9 })
  })
  expect(adjustPValues(pValues.toReversed())).toEqual(adjustPValues(pValues).toReversed())
})

test('the null law of PSI predicts the published limits', () => {
  const { bins, referenceRows, currentRows, limits } = golden.nullLaw
  expectGolden(chiSquareLimit(0.05, 9), golden.nullLaw.chiSquare95)
  currentRows.forEach((rows, index) => {
    const law = { bins, referenceRows, currentRows: rows }
    expectGolden(stabilityLimit(0.05, law), { value: limits[index] ?? 0, relativeTolerance: 1e-9 })
    expect(stabilityTail(limits[index] ?? 0, law)).toBeCloseTo(0.05, 9)
  })
})

test('a category that is the same constant on both sides is no drift, not NaN', () => {
  expect(homogeneity([90, 0], [70, 0])).toEqual({ statistic: 0, degrees: 0, pValue: 1 })
})

test('rare categories are folded before the chi-square test', () => {
  expect(foldedHomogeneity([500, 400, 1, 1, 1], [500, 400, 1, 1, 1]).degrees).toBe(2)
  expect(foldedHomogeneity([500, 400, 50], [500, 400, 50]).degrees).toBe(2)
})

const counts = fc.array(fc.nat(500), { minLength: 2, maxLength: 12 }).filter((values) => values.some((value) => value > 0))
const twoSides = counts.chain((reference) =>
  fc.tuple(fc.constant(reference), fc.array(fc.nat(500), { minLength: reference.length, maxLength: reference.length })),
)

test('every figure of any two histograms is finite and in its range', () => {
  fc.assert(
    fc.property(twoSides, ([reference, current]) => {
      const rows = (side: readonly number[]): number => side.reduce((sum, value) => sum + value, 0)
      expect(populationStability(reference, current)).toBeGreaterThanOrEqual(0)
      expect(jensenShannonDistance(reference, current)).toBeLessThanOrEqual(0.8326 + 1e-4)
      expect(largestGap(reference, current)).toBeLessThanOrEqual(1 + 1e-9)
      for (const p of [foldedHomogeneity(reference, current).pValue, gapTail(largestGap(reference, current), rows(reference), rows(current))]) {
        expect(p).toBeGreaterThanOrEqual(0)
        expect(p).toBeLessThanOrEqual(1)
      }
    }),
    { numRuns: 100 },
  )
})

test('a histogram against itself is no drift at all', () => {
  fc.assert(
    fc.property(counts, (side) => {
      expect(populationStability(side, side)).toBe(0)
      expect(jensenShannonDistance(side, side)).toBe(0)
      expect(largestGap(side, side)).toBe(0)
      expect(wassersteinOfBins(side, side, 1)).toBe(0)
      expect(homogeneity(side, side).pValue).toBeCloseTo(1, 9)
    }),
  )
})

test('the chi-square tail falls from 1 to 0', () => {
  expect(chiSquareTail(0, 4)).toBe(1)
  expect(chiSquareTail(Number.POSITIVE_INFINITY, 4)).toBe(0)
  fc.assert(
    fc.property(fc.double({ min: 0, max: 500, noNaN: true }), fc.integer({ min: 1, max: 200 }), (x, k) => chiSquareTail(x, k) >= chiSquareTail(x + 1, k)),
  )
})
