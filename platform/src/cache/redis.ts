import { LRUCache } from 'lru-cache'
import type { Started } from '../component.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Cache } from './cache.ts'
import { createAttempt } from './redis-attempt.ts'
import { connectRedis } from './redis-connection.ts'

export interface RedisCacheOptions {
  /** `redis://user:password@host:port/0`, or `rediss://` for TLS. */
  readonly url: string
  /** In front of every key: several caches share a server. */
  readonly keyPrefix: string
  readonly log: Log
  readonly metrics: Metrics
  /** Longest wait for one answer. Default 2 ms: on the prediction path a late answer is worth less than none. */
  readonly timeoutMs?: number
  /** How long the server is left alone after five faults in a row. Default 1 s. */
  readonly halfOpenAfterMs?: number
}

/** Keys whose last write failed. */
const MAX_UNSETTLED = 10_000

/**
 * A cache that several processes share. It is ready at once, connects in the background, and never fails: a fault, a late answer or an open breaker is a miss.
 * A write that failed may have left an older value behind: this process does not read that key before it has removed it.
 * @throws AppError INVALID_PARAMETER_VALUE for an address that is none
 */
export function createRedisCache(options: RedisCacheOptions): Started<Cache> {
  const { url, keyPrefix, log } = options
  const { value: redis, stop } = connectRedis(url, log)
  const attempt = createAttempt({ ...options, name: 'cache', what: 'shared cache' })
  const unsettled = new LRUCache<string, true>({ max: MAX_UNSETTLED })

  async function write(key: string, operation: 'set' | 'delete', work: () => Promise<unknown>): Promise<void> {
    const done = (await attempt(operation, work)) !== null
    if (done) unsettled.delete(key)
    else unsettled.set(key, true)
  }
  const remove = (key: string): Promise<void> => write(key, 'delete', () => redis.del(keyPrefix + key))
  const value: Cache = {
    async get(key) {
      if (unsettled.has(key)) {
        await remove(key)
        return null
      }
      return attempt('get', () => redis.getBuffer(keyPrefix + key))
    },
    async set(key, bytes, ttlMs) {
      if (ttlMs <= 0) await remove(key)
      // A copy: the bytes may still wait for the socket when the caller gets its buffer back.
      else await write(key, 'set', () => redis.set(keyPrefix + key, Buffer.from(bytes), 'PX', Math.ceil(ttlMs)))
    },
    async delete(key) {
      await remove(key)
    },
  }
  return { value, stop }
}
