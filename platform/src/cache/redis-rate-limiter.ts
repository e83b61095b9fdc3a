import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { Started } from '../component.ts'
import { createMemoryRateLimiter } from './memory-rate-limiter.ts'
import type { RateLimiter, RateLimiters, RateRule, Usage } from './rate-limiter.ts'
import type { RedisCacheOptions } from './redis.ts'
import { type Attempt, createAttempt } from './redis-attempt.ts'
import { connectRedis } from './redis-connection.ts'

/** Keys whose shared count this process remembers. */
const MAX_KNOWN = 10_000

/**
 * Limiters that all processes with the same Redis and prefix share. They are ready at once and never fail: without an answer in time, each process counts for
 * itself, so that a limit holds per process until Redis is back.
 * @throws AppError INVALID_PARAMETER_VALUE for an address that is none
 */
export function createRedisRateLimiters(options: RedisCacheOptions): Started<RateLimiters> {
  const { value: redis, stop } = connectRedis(options.url, options.log)
  const attempt = createAttempt({ ...options, name: 'rate_limiter', what: 'shared rate limiter' })
  return { value: (rule) => createShared(redis, attempt, options.keyPrefix, rule), stop }
}

function createShared(redis: Redis, attempt: Attempt, keyPrefix: string, rule: RateRule): RateLimiter {
  const { name, limit, seconds } = rule
  const shared = new RateLimiterRedis({ storeClient: redis, keyPrefix: `${keyPrefix}${name}`, points: limit, duration: seconds, rejectIfRedisNotReady: true })
  const local = createMemoryRateLimiter(rule)
  const known = new LRUCache<string, { readonly used: number; readonly endsAtMs: number }>({ max: MAX_KNOWN })
  return {
    async count(key) {
      // Counted here as well, so that this process's part of the limit is known when Redis goes away.
      const own = await local.count(key)
      // Beyond the limit alone: a flood is refused without a call to Redis for each of its requests.
      if (own.used > limit) return own
      const state = await attempt('count', () => shared.penalty(key))
      if (state === null) return own
      known.set(key, { used: state.consumedPoints, endsAtMs: performance.now() + state.msBeforeNext })
      return { used: state.consumedPoints, resetMs: state.msBeforeNext }
    },
    async look(key) {
      const told = known.get(key)
      const resetMs = (told?.endsAtMs ?? 0) - performance.now()
      return larger(await local.look(key), told && resetMs > 0 ? { used: told.used, resetMs } : null)
    },
  }
}

const larger = (own: Usage, told: Usage | null): Usage => (told !== null && told.used > own.used ? told : own)
