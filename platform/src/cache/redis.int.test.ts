import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { type Log, silentLog } from '../log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { describeWith, redisForTests } from '../testing/real-infrastructure.ts'
import { openTcpGate, throughGate } from '../testing/tcp-gate.ts'
import { until } from '../testing/until.ts'
import { cacheContract } from './cache.contract.ts'
import type { Cache } from './cache.ts'
import { createRedisCache, type RedisCacheOptions } from './redis.ts'

const url = redisForTests()?.['REDIS_URL'] ?? ''
const hour = 3_600_000
/** Long enough for a busy machine: what a test asks for is not to be a miss by accident. */
const PATIENT_MS = 10_000

/** A cache with keys of its own, connected. */
async function open(options: Partial<RedisCacheOptions> = {}) {
  const metrics = createMetrics('test')
  const keyPrefix = `test:${randomUUID()}:`
  const cache = createRedisCache({ url, keyPrefix, log: silentLog, metrics, timeoutMs: PATIENT_MS, halfOpenAfterMs: 50, ...options })
  onTestFinished(cache.stop)
  await connected(cache.value)
  return { cache: cache.value, keyPrefix, metrics, stop: cache.stop }
}

async function connected(cache: Cache): Promise<void> {
  const probe = randomUUID()
  await until(async () => {
    await cache.set(probe, Buffer.from('x'), hour)
    return (await cache.get(probe)) !== null
  })
  await cache.delete(probe)
}

async function gated(options: Partial<RedisCacheOptions> = {}) {
  const { hostname, port } = new URL(url)
  const gate = await openTcpGate({ host: hostname, port: Number(port) })
  onTestFinished(gate.stop)
  return { gate, ...(await open({ url: throughGate(url, gate), ...options })) }
}

describeWith('redis', () => {
  cacheContract(async () => (await open()).cache)

  test('caches with different prefixes do not see each other; with the same one they share', async () => {
    const [one, other] = [await open(), await open()]
    const third = await open({ keyPrefix: one.keyPrefix })
    await one.cache.set('key', Buffer.from('1'), hour)
    expect([await other.cache.get('key'), await third.cache.get('key')]).toEqual([null, Buffer.from('1')])
  })

  test('a server that goes away and comes back: misses in between, hits again, one warning', async () => {
    const said: string[] = []
    const log: Log = { ...silentLog, warn: (message) => void said.push(message), info: (message) => void said.push(message) }
    const { gate, cache, metrics, stop } = await gated({ log })
    await cache.set('key', Buffer.from('kept'), hour)
    said.length = 0
    await gate.shut()
    await until(async () => (await cache.get('key')) === null)
    for (let call = 0; call < 20; call += 1) {
      expect(await cache.get('key')).toBeNull()
      await cache.set(`lost ${call}`, Buffer.from('x'), hour)
    }
    expect(await metrics.expose()).toMatch(/cache_breaker_open\{.*\} 1/)
    await gate.heal()
    await until(async () => (await cache.get('key')) !== null)
    expect(await cache.get('key')).toEqual(Buffer.from('kept'))
    expect(said).toEqual(['Redis is away; the platform is slower until it is back', 'Redis is back'])
    expect(await metrics.expose()).toMatch(/cache_breaker_open\{.*\} 0/)
    expect(gate.broken).toBeGreaterThan(0)
    await stop()
    expect(said).toHaveLength(2)
  })

  test('a server that does not answer is a miss after the time, and soon not asked at all', async () => {
    const { gate, cache, metrics } = await gated({ halfOpenAfterMs: 1_000, timeoutMs: 200 })
    gate.swallow()
    for (let call = 0; call < 5; call += 1) expect(await cache.get('key')).toBeNull()
    expect(await metrics.expose()).toMatch(/cache_breaker_open\{.*\} 1/)
    await gate.heal()
    await until(async () => /cache_breaker_open\{.*\} 0/.test((await cache.get('key')) ? '' : await metrics.expose()))
  })
})

describeWith('redis', () => {
  test('a value that could not be removed or replaced is not read again', async () => {
    const { gate, cache } = await gated()
    await cache.set('removed', Buffer.from('old'), hour)
    await cache.set('replaced', Buffer.from('old'), hour)
    await gate.shut()
    await cache.delete('removed')
    await cache.set('replaced', Buffer.from('new'), hour)
    await gate.heal()
    await connected(cache)
    expect([await cache.get('removed'), await cache.get('replaced')]).toEqual([null, null])
    await cache.set('replaced', Buffer.from('newer'), hour)
    expect(await cache.get('replaced')).toEqual(Buffer.from('newer'))
  })

  test('a cache is there before its server is, and after it was stopped', async () => {
    const nowhere = createRedisCache({ url: 'redis://127.0.0.1:1', keyPrefix: '', log: silentLog, metrics: createMetrics('test') })
    await nowhere.value.set('key', Buffer.from('x'), hour)
    expect(await nowhere.value.get('key')).toBeNull()
    await nowhere.stop()
    const { cache, stop } = await open()
    await stop()
    await cache.set('key', Buffer.from('x'), hour)
    expect(await cache.get('key')).toBeNull()
  })

  test('a wrong password is a cache that misses, and says why', async () => {
    const reasons: unknown[] = []
    const log: Log = { ...silentLog, warn: (_message, fields) => void reasons.push(fields?.['reason']) }
    const address = new URL(url)
    address.password = 'wr0ng'
    const { value, stop } = createRedisCache({ url: address.href, keyPrefix: '', log, metrics: createMetrics('test') })
    onTestFinished(stop)
    await until(() => reasons.length > 0)
    expect(String(reasons[0])).toMatch(/WRONGPASS|invalid/)
    expect(await value.get('key')).toBeNull()
  })

  test('an address of something else is refused', () => {
    expect(() => createRedisCache({ url: 'http://x', keyPrefix: '', log: silentLog, metrics: createMetrics('test') })).toThrow('expected redis://')
  })
})
