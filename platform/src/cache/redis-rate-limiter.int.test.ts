import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { silentLog } from '../log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { describeWith, redisForTests } from '../testing/real-infrastructure.ts'
import { openTcpGate, throughGate } from '../testing/tcp-gate.ts'
import { until } from '../testing/until.ts'
import { countTimes, longRule, rateLimiterContract } from './rate-limiter.contract.ts'
import type { RateLimiters } from './rate-limiter.ts'
import type { RedisCacheOptions } from './redis.ts'
import { createRedisRateLimiters } from './redis-rate-limiter.ts'

const url = redisForTests()?.['REDIS_URL'] ?? ''
/** Long enough for a busy machine: what a test asks for is not to be a fault by accident. */
const PATIENT_MS = 10_000

/** Limiters as one process has them, connected. */
async function open(options: Partial<RedisCacheOptions> = {}) {
  const metrics = createMetrics('test')
  const keyPrefix = options.keyPrefix ?? `test:${randomUUID()}:`
  const limiters = createRedisRateLimiters({ url, log: silentLog, metrics, timeoutMs: PATIENT_MS, halfOpenAfterMs: 50, ...options, keyPrefix })
  onTestFinished(limiters.stop)
  await until(() => isShared(limiters.value, keyPrefix))
  return { limiters: limiters.value, keyPrefix, metrics, stop: limiters.stop }
}

/** Two limiters of one rule see each other's counts: they reach the server. */
async function isShared(limiters: RateLimiters, name: string): Promise<boolean> {
  const rule = { ...longRule(1000), name: `${name}${randomUUID()}` }
  await limiters(rule).count('probe')
  return (await limiters(rule).count('probe')).used === 2
}

async function gated(options: Partial<RedisCacheOptions> = {}) {
  const { hostname, port } = new URL(url)
  const gate = await openTcpGate({ host: hostname, port: Number(port) })
  onTestFinished(gate.stop)
  return { gate, ...(await open({ url: throughGate(url, gate), ...options })) }
}

describeWith('redis', () => {
  rateLimiterContract(async () => (await open()).limiters)

  test('processes with the same server share a limit', async () => {
    const one = await open()
    const other = await open({ keyPrefix: one.keyPrefix })
    const rule = longRule(4)
    const [here, there] = [one.limiters(rule), other.limiters(rule)]
    expect(await countTimes(here, 'ana', 3)).toEqual([1, 2, 3])
    expect(await countTimes(there, 'ana', 2)).toEqual([4, 5])
    expect(await there.look('ana')).toMatchObject({ used: 5 })
    expect((await here.count('ana')).used).toBeGreaterThan(rule.limit)
    expect(await countTimes(here, 'ben', 1)).toEqual([1])
  })

  test('a server that goes away and comes back: each process counts for itself in between, then they share again', async () => {
    const { gate, limiters, metrics, keyPrefix } = await gated()
    const other = await open({ keyPrefix })
    const rule = longRule(5)
    const [here, there] = [limiters(rule), other.limiters(rule)]
    await countTimes(there, 'ana', 2)
    expect(await countTimes(here, 'ana', 1)).toEqual([3])
    await gate.shut()
    await until(async () => (await limiters(longRule()).count('x')).used === 1 && /rate_limiter_faults_total\{.*\} [1-9]/.test(await metrics.expose()))
    expect(await countTimes(here, 'ana', 5)).toEqual([2, 3, 4, 5, 6])
    expect(gate.broken).toBeGreaterThan(0)
    await gate.heal()
    await until(() => isShared(limiters, keyPrefix))
    expect(await countTimes(there, 'ben', 2)).toEqual([1, 2])
    expect(await countTimes(here, 'ben', 1)).toEqual([3])
  })

  test('a server that does not answer is soon not asked, and the limit holds in each process', async () => {
    const { gate, limiters, metrics, keyPrefix } = await gated({ halfOpenAfterMs: 1_000, timeoutMs: 200 })
    const limiter = limiters(longRule(6))
    gate.swallow()
    expect(await countTimes(limiter, 'ana', 7)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(await metrics.expose()).toMatch(/rate_limiter_breaker_open\{.*\} 1/)
    await gate.heal()
    await until(() => isShared(limiters, keyPrefix))
    expect(await metrics.expose()).toMatch(/rate_limiter_breaker_open\{.*\} 0/)
  })

  test('limiters count before their server is there, and after they were stopped', async () => {
    const nowhere = createRedisRateLimiters({ url: 'redis://127.0.0.1:1', keyPrefix: '', log: silentLog, metrics: createMetrics('test') })
    expect(await countTimes(nowhere.value(longRule()), 'ana', 2)).toEqual([1, 2])
    await nowhere.stop()
    const { limiters, stop } = await open()
    await stop()
    expect(await countTimes(limiters(longRule()), 'ana', 2)).toEqual([1, 2])
  })
})
