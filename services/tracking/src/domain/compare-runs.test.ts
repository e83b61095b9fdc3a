import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareValues, missingKeys } from './compare-runs.ts'

const maps = (...runs: Record<string, string>[]) => runs.map((run) => new Map(Object.entries(run)))

test('values stand side by side by key, and what differs is told', () => {
  const rows = compareValues(maps({ lr: '0.1', depth: '3' }, { lr: '0.2', depth: '3' }, { depth: '3', extra: '' }))
  expect(rows).toEqual([
    { key: 'depth', values: ['3', '3', '3'], differs: false },
    { key: 'extra', values: [null, null, ''], differs: true },
    { key: 'lr', values: ['0.1', '0.2', null], differs: true },
  ])
  expect([0, 1, 2].map((index) => missingKeys(rows, index))).toEqual([['extra'], ['extra'], ['lr']])
})

test('a run is never different from itself', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), (run) => {
      const rows = compareValues([new Map(Object.entries(run)), new Map(Object.entries(run))])
      expect(rows.some((row) => row.differs)).toBe(false)
      expect(rows).toHaveLength(Object.keys(run).length)
    }),
    { numRuns: 200, seed: 7 },
  )
})
