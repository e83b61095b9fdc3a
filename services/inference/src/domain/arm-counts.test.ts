import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countRequest, noCounts } from './arm-counts.ts'

const edges = [0.001, 0.01, 0.1]

test('a request on an edge counts under that edge', () => {
  expect(countRequest(noCounts(edges), edges, 0.01, false).latencyCounts).toEqual([0, 1, 1, 1])
})

test('counts are cumulative and the last one is the number of requests', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ seconds: fc.double({ min: 0, max: 1, noNaN: true }), failed: fc.boolean() })), (requests) => {
      const counts = requests.reduce((sum, { seconds, failed }) => countRequest(sum, edges, seconds, failed), noCounts(edges))
      expect(counts.latencyCounts.at(-1)).toBe(requests.length)
      expect(counts.latencyCounts).toEqual([...counts.latencyCounts].sort((a, b) => a - b))
      expect(counts.failures).toBe(requests.filter(({ failed }) => failed).length)
    }),
  )
})
