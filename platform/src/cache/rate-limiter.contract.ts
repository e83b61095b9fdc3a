import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { until } from '../testing/until.ts'
import type { RateLimiter, RateLimiters, RateRule } from './rate-limiter.ts'

/** A rule of its own whose window outlasts the test. */
export const longRule = (limit = 3): RateRule => ({ name: randomUUID(), limit, seconds: 600 })

/** Counts one after the other. */
export async function countTimes(limiter: RateLimiter, key: string, times: number): Promise<number[]> {
  const used: number[] = []
  for (let time = 0; time < times; time += 1) used.push((await limiter.count(key)).used)
  return used
}

/** What every `RateLimiters` keeps. */
export function rateLimiterContract(open: () => Promise<RateLimiters>): void {
  test('counting tells how often and how long the window still lasts', async () => {
    const limiter = (await open())(longRule())
    expect(await limiter.look('ana')).toEqual({ used: 0, resetMs: 0 })
    expect(await countTimes(limiter, 'ana', 3)).toEqual([1, 2, 3])
    const { used, resetMs } = await limiter.look('ana')
    expect(used).toBe(3)
    expect(resetMs).toBeGreaterThan(0)
    expect(resetMs).toBeLessThanOrEqual(600_000)
  })

  test('beyond the limit the count goes on saying so', async () => {
    const limiter = (await open())(longRule(2))
    await countTimes(limiter, 'ana', 2)
    for (let time = 0; time < 3; time += 1) expect((await limiter.count('ana')).used).toBeGreaterThan(2)
  })

  test('looking counts nothing', async () => {
    const limiter = (await open())(longRule())
    await limiter.look('ana')
    await limiter.count('ana')
    await limiter.look('ana')
    expect((await limiter.count('ana')).used).toBe(2)
  })

  test('keys and rules have counts of their own, whatever characters they hold', async () => {
    const limiters = await open()
    const [one, other] = [limiters(longRule()), limiters(longRule())]
    const keys = ['::1', 'a b', 'ä/ö', '', '__proto__', 'a\nb']
    for (const key of keys) expect(await countTimes(one, key, 2)).toEqual([1, 2])
    expect(await countTimes(other, '::1', 1)).toEqual([1])
  })

  test('at the same time nothing is counted twice or left out', async () => {
    const limiter = (await open())(longRule(1000))
    const told = await Promise.all(Array.from({ length: 50 }, () => limiter.count('ana')))
    expect(told.map(({ used }) => used).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
  })

  test('when the window is over, counting begins anew', async () => {
    const limiter = (await open())({ ...longRule(), seconds: 1 })
    await countTimes(limiter, 'ana', 3)
    await until(async () => (await limiter.look('ana')).used === 0)
    await until(async () => (await limiter.count('ana')).used === 1, { everyMs: 300 })
  })
}
