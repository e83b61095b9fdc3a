import { expect, test } from 'vitest'
import { cacheContract } from './cache.contract.ts'
import { createLruCache } from './lru.ts'

cacheContract(async () => createLruCache({ maxBytes: 1_000_000 }))

test('beyond its bytes the cache forgets what was used least recently', async () => {
  const cache = createLruCache({ maxBytes: 10_000 })
  const large = Buffer.alloc(4000)
  await cache.set('a', large, 60_000)
  await cache.set('b', large, 60_000)
  await cache.get('a')
  await cache.set('c', large, 60_000)
  expect([await cache.get('a'), await cache.get('b'), await cache.get('c')].map((value) => value !== null)).toEqual([true, false, true])
})

test('a value larger than the whole cache is a miss, and drops the one before it', async () => {
  const cache = createLruCache({ maxBytes: 1000 })
  await cache.set('a', Buffer.from('old'), 60_000)
  await cache.set('a', Buffer.alloc(2000), 60_000)
  expect(await cache.get('a')).toBeNull()
})
