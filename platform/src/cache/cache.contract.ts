import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { until } from '../testing/until.ts'
import type { Cache } from './cache.ts'

/** What every `Cache` keeps. `create` gives an empty cache that nobody else uses. */
export function cacheContract(create: () => Promise<Cache>): void {
  const hour = 3_600_000

  test('a value comes back byte for byte, an unknown key is a miss', async () => {
    const cache = await create()
    const value = Buffer.from([0, 255, 128, 10])
    await cache.set('key', value, hour)
    expect(await cache.get('key')).toEqual(value)
    expect(await cache.get('other')).toBeNull()
  })

  test('setting again replaces, deleting removes, and a missing key may be deleted', async () => {
    const cache = await create()
    await cache.set('key', Buffer.from('one'), hour)
    await cache.set('key', Buffer.from('two'), hour)
    expect(await cache.get('key')).toEqual(Buffer.from('two'))
    await cache.delete('key')
    await cache.delete('key')
    expect(await cache.get('key')).toBeNull()
  })

  test('an empty value is a hit', async () => {
    const cache = await create()
    await cache.set('key', Buffer.alloc(0), hour)
    expect(await cache.get('key')).toEqual(Buffer.alloc(0))
  })

  test('a value is gone when its time is over, and a time of zero keeps nothing', async () => {
    const cache = await create()
    await cache.set('key', Buffer.from('x'), 20)
    await until(async () => (await cache.get('key')) === null)
    await cache.set('key', Buffer.from('x'), hour)
    await cache.set('key', Buffer.from('y'), 0)
    await pause(1)
    expect(await cache.get('key')).toBeNull()
  })

  test('a caller that writes into its buffer does not change what others read', async () => {
    const cache = await create()
    const value = Buffer.from('abc')
    await cache.set('key', value, hour)
    value.fill(0)
    const read = await cache.get('key')
    read?.fill(1)
    expect(await cache.get('key')).toEqual(Buffer.from('abc'))
  })

  test('keys may hold any characters', async () => {
    const cache = await create()
    const keys = ['a b', 'ä/ö', '', '__proto__', 'a\nb']
    for (const key of keys) await cache.set(key, Buffer.from(key), hour)
    expect(await Promise.all(keys.map((key) => cache.get(key)))).toEqual(keys.map((key) => Buffer.from(key)))
  })
}
