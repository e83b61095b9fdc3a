import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import { LRUCache } from 'lru-cache'
import type { Started } from '../component.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Cache } from './cache.ts'
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
  /** How long the server is left alone after `FAULTS_UNTIL_OPEN` faults in a row. Default 1 s. */
  readonly halfOpenAfterMs?: number
}

const FAULTS_UNTIL_OPEN = 5
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
  const attempt = createAttempt(options)
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

type Attempt = <T>(operation: string, work: () => Promise<T>) => Promise<T | null>

/** Runs one command within the time and behind the breaker; null for every fault. */
function createAttempt({ metrics, timeoutMs = 2, halfOpenAfterMs = 1_000 }: RedisCacheOptions): Attempt {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: halfOpenAfterMs, breaker: new ConsecutiveBreaker(FAULTS_UNTIL_OPEN) })
  const faults = metrics.counter('cache_faults_total', 'Calls of the shared cache that failed, came too late or were not made', ['operation'])
  const open = metrics.gauge('cache_breaker_open', 'Whether the shared cache is left alone because it failed')
  open.set({}, 0)
  breaker.onBreak(() => open.set({}, 1))
  breaker.onReset(() => open.set({}, 0))
  return async function attempt(operation, work) {
    try {
      return await breaker.execute(() => within(timeoutMs, work()))
    } catch {
      faults.add({ operation })
      return null
    }
  }
}

function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
