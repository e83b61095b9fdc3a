import { referenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildReferenceProfile, categoricalProfile, numericProfile, quantile } from './build-reference-profile.ts'

test('quantiles are interpolated between order statistics', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5)
  expect(quantile([1, 2, 3, 4], 0.1)).toBeCloseTo(1.3, 12)
  expect(quantile([7], 0.9)).toBe(7)
})

test('a hundred even values fill ten bins alike', () => {
  const profile = numericProfile(
    'x',
    Array.from({ length: 100 }, (_, i) => i),
  )
  expect(profile.edges).toHaveLength(9)
  expect(profile.counts).toEqual(new Array(10).fill(10))
  expect(profile).toMatchObject({ missing: 0, mean: 49.5, fine: { min: 0, max: 99 } })
  expect(profile.std).toBeCloseTo(Math.sqrt((100 ** 2 - 1) / 12), 9)
})

test('equal deciles are merged: a constant has one edge', () => {
  expect(numericProfile('x', [3, 3, 3])).toMatchObject({ edges: [3], counts: [0, 3], std: 0, fine: { min: 3, max: 3 } })
})

test('every value is in one decile bin and one fine bin, or missing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY)), { minLength: 1 }),
      (values) => {
        const { counts, fine, missing, edges } = numericProfile('x', values)
        const total = (all: readonly number[]) => all.reduce((sum, count) => sum + count, 0)
        expect(total(counts) + missing).toBe(values.length)
        expect(total(fine.counts) + missing).toBe(values.length)
        expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b))
      },
    ),
  )
})

test('categories that are not known count as other', () => {
  expect(categoricalProfile('c', ['a', 'b'], ['a', 'z', 'a'])).toEqual({
    kind: 'categorical',
    name: 'c',
    categories: ['a', 'b'],
    counts: [2, 0],
    other: 1,
    missing: 0,
  })
})

test('the profile has the eight statistics, confidence and predicted class, and fits its schema', () => {
  const statistics = { brightness: 0.5, contrast: 0.1, saturation: 0.2, red_share: 0.3, green_share: 0.4, blue_share: 0.3, sharpness: 0.01, aspect_ratio: 0.75 }
  const profile = buildReferenceProfile('d'.repeat(64), 'test', ['a', 'b'], [{ statistics, predicted: 'a', confidence: 0.9 }])
  expect(referenceProfile.parse(profile).features.map(({ name }) => name)).toEqual([...Object.keys(statistics), 'confidence', 'predicted_class'])
})
