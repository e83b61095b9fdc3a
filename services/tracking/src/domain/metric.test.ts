import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLater, latestByKey, type Point, shownValue, storedValue } from './metric.ts'

const at = (key: string, step: number, timestamp: number, value: number): Point => ({ key, step, timestamp, ...storedValue(value) })

test('NaN is kept as a flag, infinities as the largest doubles', () => {
  expect(storedValue(Number.NaN)).toEqual({ value: 0, isNan: true })
  expect(storedValue(Number.POSITIVE_INFINITY)).toEqual({ value: 1.7976931348623157e308, isNan: false })
  expect(storedValue(Number.NEGATIVE_INFINITY).value).toBe(-1.7976931348623157e308)
  expect(Object.is(storedValue(-0).value, 0)).toBe(true)
  expect(shownValue(storedValue(Number.NaN))).toBe('NaN')
})

test('the latest point is the greatest by step, then timestamp, then value', () => {
  expect(latestByKey([at('m', 0, 2, 3), at('m', 0, 8, 4), at('m', 0, 3, 8)])).toEqual([at('m', 0, 8, 4)])
  expect(latestByKey([at('m', 2, 1, 0), at('m', 1, 9, 9)])).toEqual([at('m', 2, 1, 0)])
  expect(latestByKey([at('m', 0, 1, 1), at('m', 0, 1, 2)])).toEqual([at('m', 0, 1, 2)])
  expect(latestByKey([at('m', 0, 1, Number.NaN), at('m', 0, 1, 0)])).toEqual([at('m', 0, 1, 0)])
})

test('keys come in one order, whatever order they were logged in', () => {
  expect(latestByKey([at('b', 0, 0, 1), at('a', 0, 0, 1)]).map((point) => point.key)).toEqual(['a', 'b'])
})

test('the latest of a batch does not depend on its order, and nothing is later than it', () => {
  const number = fc.constantFrom(-1, 0, 1, 2, Number.NaN)
  const point = fc
    .tuple(fc.constantFrom('a', 'b'), fc.integer({ min: -2, max: 2 }), fc.integer({ min: 0, max: 3 }), number)
    .map(([key, step, time, value]) => at(key, step, time, value))
  fc.assert(
    fc.property(fc.array(point, { maxLength: 20 }), (points) => {
      const latest = latestByKey(points)
      expect(latestByKey(points.toReversed())).toEqual(latest)
      for (const candidate of points) expect(latest.some((best) => best.key === candidate.key && isLater(candidate, best))).toBe(false)
    }),
  )
})
