import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWakeSignal, fullJitterMs } from './signal.ts'

const never = new AbortController().signal

test('a wake that nobody waited for is kept for the next who waits', async () => {
  const signal = createWakeSignal()
  signal.wake()
  await signal.wait(3_600_000, never)
})

test('a wait ends with a wake, with the time, and with the abort', async () => {
  const signal = createWakeSignal()
  const woken = signal.wait(3_600_000, never)
  signal.wake()
  await woken
  await signal.wait(1, never)
  const stopping = new AbortController()
  const aborted = signal.wait(3_600_000, stopping.signal)
  stopping.abort()
  await aborted
  await signal.wait(3_600_000, stopping.signal)
})

test('jitter stays between nothing and the doubled base, up to the cap', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2000 }), (attempt) => {
      const pause = fullJitterMs(attempt, 100, 5_000)
      expect(pause).toBeGreaterThanOrEqual(0)
      expect(pause).toBeLessThanOrEqual(Math.min(5_000, 100 * 2 ** attempt))
    }),
  )
})
