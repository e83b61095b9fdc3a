import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Attempt, judgeAttempt, retryAfterMs, type Standing } from './judge-attempt.ts'

const queuedAt = new Date('2026-01-01T00:00:00Z')
const after = (ms: number) => new Date(queuedAt.getTime() + ms)
const DAY = 86_400_000
const standing = (fields: Partial<Standing> = {}): Standing => ({ attempts: 1, queuedAt, now: queuedAt, giveUpAfterMs: DAY, jitter: 1, ...fields })
const answered = (status: number, retryAfter: string | null = null): Attempt => ({ kind: 'answered', status, retryAfter })

test.each([200, 201, 204, 299])('%i is delivered', (status) => expect(judgeAttempt(answered(status), standing())).toEqual({ kind: 'delivered' }))

test.each([429, 500, 502, 503, 504, 599])('%i is tried again', (status) => {
  expect(judgeAttempt(answered(status), standing())).toEqual({ kind: 'retry', at: after(1000), reason: `answered with status ${status}` })
})

test.each([301, 302, 307, 400, 401, 403, 404, 410, 422])('%i would be the same again and is given up', (status) => {
  expect(judgeAttempt(answered(status), standing())).toMatchObject({ kind: 'dead', reason: expect.stringContaining(String(status)) })
})

test('pauses double, up to ten minutes, and chance takes at most half of them', () => {
  const pause = (attempts: number, jitter: number) => {
    const verdict = judgeAttempt({ kind: 'failed', reason: 'x' }, standing({ attempts, jitter }))
    return verdict.kind === 'retry' ? verdict.at.getTime() - queuedAt.getTime() : null
  }
  expect([1, 2, 3, 10, 11, 1000].map((attempts) => pause(attempts, 1))).toEqual([1000, 2000, 4000, 512_000, 600_000, 600_000])
  expect(pause(3, 0)).toBe(2000)
})

test('what the receiver asks for counts where it is later, up to the end of the delivery', () => {
  expect(judgeAttempt(answered(429, '120'), standing())).toMatchObject({ at: after(120_000) })
  expect(judgeAttempt(answered(503, 'Thu, 01 Jan 2026 00:05:00 GMT'), standing())).toMatchObject({ at: after(300_000) })
  expect(judgeAttempt(answered(503, '0'), standing())).toMatchObject({ at: after(1000) })
  expect(judgeAttempt(answered(429, '9999999999'), standing())).toMatchObject({ kind: 'retry', at: after(DAY) })
})

test('once its time is over a delivery is given up with the last reason', () => {
  expect(judgeAttempt(answered(503), standing({ now: after(DAY) }))).toEqual({ kind: 'dead', reason: 'answered with status 503' })
  expect(judgeAttempt({ kind: 'failed', reason: 'ECONNREFUSED' }, standing({ now: after(DAY + 1) }))).toEqual({ kind: 'dead', reason: 'ECONNREFUSED' })
  expect(judgeAttempt(answered(200), standing({ now: after(DAY + 1) }))).toEqual({ kind: 'delivered' })
})

test('whatever a receiver writes into Retry-After, the next attempt lies between now and the end', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(50), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(DAY - 1), (header, attempts, jitter, age) => {
      expect(retryAfterMs(header, queuedAt)).toBeGreaterThanOrEqual(0)
      const verdict = judgeAttempt(answered(503, header), standing({ attempts: attempts + 1, jitter, now: after(age) }))
      expect(verdict.kind).toBe('retry')
      if (verdict.kind !== 'retry') return
      expect(verdict.at.getTime()).toBeGreaterThan(after(age).getTime())
      expect(verdict.at.getTime()).toBeLessThanOrEqual(after(DAY).getTime())
    }),
  )
})
