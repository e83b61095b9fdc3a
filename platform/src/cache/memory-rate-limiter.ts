import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { RateLimiter, RateRule } from './rate-limiter.ts'

/** Counts in this process alone. */
export function createMemoryRateLimiter({ name, limit, seconds }: RateRule): RateLimiter {
  const counts = new RateLimiterMemory({ keyPrefix: name, points: limit, duration: seconds })
  return {
    async count(key) {
      const { consumedPoints: used, msBeforeNext: resetMs } = await counts.penalty(key)
      return { used, resetMs }
    },
    async look(key) {
      const state = await counts.get(key)
      return state ? { used: state.consumedPoints, resetMs: state.msBeforeNext } : { used: 0, resetMs: 0 }
    },
  }
}
