import fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentile, spreadOf } from './percentile.ts'

test('of two hundred samples the third largest is the 99th percentile', () => {
  const samples = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(spreadOf(samples)).toEqual({ p50: 100, p99: 198, max: 200 })
})

test('one sample is every percentile, and without samples there is none', () => {
  expect(spreadOf([7])).toEqual({ p50: 7, p99: 7, max: 7 })
  expect(percentile([], 0.5)).toBeNaN()
})

test('at least the share of the samples is not above the percentile, and less than the share is below it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (samples, share) => {
      const found = percentile(samples, share)
      expect(samples.filter((sample) => sample <= found).length).toBeGreaterThanOrEqual(share * samples.length)
      expect(samples.filter((sample) => sample < found).length).toBeLessThan(share * samples.length)
    }),
  )
})
