import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHalf, toHalf } from './half.ts'

test('known values have their known bits', () => {
  expect([0, -0, 1, -2, 65504, 2 ** -24, 2 ** -14, 0.1].map(toHalf)).toEqual([0, 0x8000, 0x3c00, 0xc000, 0x7bff, 1, 0x0400, 0x2e66])
})

test('what is out of range becomes infinity, what is too small becomes zero', () => {
  expect([65520, 1e300, -1e300].map((value) => fromHalf(toHalf(value)))).toEqual([Infinity, Infinity, -Infinity])
  expect([2 ** -25, 1e-300, 2 ** -25 * 1.0001].map((value) => fromHalf(toHalf(value)))).toEqual([0, 0, 2 ** -24])
})

test('every half survives the way to a number and back', () => {
  for (let half = 0; half < 0x10000; half++) {
    const value = fromHalf(half)
    if (!Number.isNaN(value)) expect(toHalf(value)).toBe(half)
  }
})

test('a number goes to the nearest half, ties to even', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7bfe }), fc.double({ min: 0, max: 1, noNaN: true }), (half, share) => {
      const [low, high] = [fromHalf(half), fromHalf(half + 1)]
      const value = low + (high - low) * share
      const expected = value - low < high - value || (value - low === high - value && half % 2 === 0) ? half : half + 1
      expect(toHalf(value)).toBe(expected)
    }),
  )
})
