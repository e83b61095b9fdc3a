import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectBatchMs, expectWaitMs, noServiceTime, observeBatch } from './service-time.ts'

const linear = (perBatch: number, perRow: number, sizes: number[]) =>
  sizes.reduce((time, rows) => observeBatch(time, rows, perBatch + perRow * rows), noServiceTime)

test('the line that the batches lie on is found', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 100, noNaN: true }), fc.double({ min: 0, max: 10, noNaN: true }), (perBatch, perRow) => {
      const time = linear(perBatch, perRow, [1, 8, 32, 2, 16, 4])
      expect(expectBatchMs(time, 10)).toBeCloseTo(perBatch + perRow * 10, 4)
    }),
  )
})

test('batches of one size alone give their mean', () => {
  expect(expectBatchMs(linear(3, 0, [1, 1, 1]), 20)).toBeCloseTo(3)
})

test('an expectation is never negative', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 64 }), fc.double({ min: 0, max: 1000, noNaN: true }))),
      fc.integer({ min: 1, max: 64 }),
      (seen, rows) => {
        const time = seen.reduce((sum, [size, ms]) => observeBatch(sum, size, ms), noServiceTime)
        expect(expectBatchMs(time, rows)).toBeGreaterThanOrEqual(0)
      },
    ),
  )
})

test('a longer queue means a longer wait, more executors a shorter one', () => {
  const time = linear(1, 1, [1, 8, 32])
  const wait = (queuedRows: number, executors: number) => expectWaitMs(time, { queuedRows, busy: executors, executors, maxRows: 32 }, 1)
  expect(wait(64, 1)).toBeGreaterThan(wait(32, 1))
  expect(wait(64, 2)).toBeLessThan(wait(64, 1))
})
