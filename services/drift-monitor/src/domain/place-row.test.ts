import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeRow, type Span, shortenedEnd } from './place-row.ts'

test('a row goes into the period that covers it, counted from the epoch', () => {
  expect(placeRow([], 0, 999, 1000)).toEqual({ startMs: 0, endMs: 1000 })
  expect(placeRow([], 0, 1000, 1000)).toEqual({ startMs: 1000, endMs: 2000 })
})

test('a row from before the last closed window comes too late', () => {
  expect(placeRow([], 2000, 1999, 1000)).toBeNull()
  expect(placeRow([], 2000, 2000, 1000)).toEqual({ startMs: 2000, endMs: 3000 })
})

test('after the period was lengthened, a new bucket does not reach into what is closed or open', () => {
  expect(placeRow([{ startMs: 2500, endMs: 3000 }], 2200, 3100, 10_000)).toEqual({ startMs: 3000, endMs: 10_000 })
  expect(placeRow([{ startMs: 2500, endMs: 3000 }], 2200, 2300, 10_000)).toEqual({ startMs: 2200, endMs: 2500 })
})

test('after the period was shortened, a long bucket ends with the short period of its newest row', () => {
  expect(shortenedEnd({ startMs: 0, endMs: 3_600_000, latestMs: 600_100 }, 5000)).toBe(605_000)
  expect(shortenedEnd({ startMs: 0, endMs: 1000, latestMs: 600 }, 5000)).toBe(1000)
})

test('however periods change, a row lies in its bucket and buckets never overlap', () => {
  const step = fc.record({ timeMs: fc.nat(20_000), windowMs: fc.constantFrom(500, 700, 1000, 5000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(5000), (steps, closedUntilMs) => {
      const open = new Map<number, Span>()
      for (const { timeMs, windowMs } of steps) {
        const span = placeRow([...open.values()], closedUntilMs, timeMs, windowMs)
        if (!span) continue
        expect(span.startMs <= timeMs && timeMs < span.endMs).toBe(true)
        open.set(span.startMs, span)
      }
      const sorted = [...open.values()].toSorted((left, right) => left.startMs - right.startMs)
      for (const [index, span] of sorted.entries()) expect(span.endMs).toBeLessThanOrEqual(sorted[index + 1]?.startMs ?? Number.POSITIVE_INFINITY)
    }),
  )
})
