import { LRUCache } from 'lru-cache'
import type { Cache } from './cache.ts'

/** What an entry costs beside its bytes: key, object and list node. */
const OVERHEAD_BYTES = 200

/** A cache in this process, bounded by bytes: the entries used least recently go first. */
export function createLruCache(options: { maxBytes: number }): Cache {
  const entries = new LRUCache<string, Buffer>({
    maxSize: options.maxBytes,
    sizeCalculation: (value, key) => value.length + 2 * key.length + OVERHEAD_BYTES,
  })
  return {
    // Copies both ways: a caller that writes into its buffer must not change what others read.
    get: async (key) => {
      const value = entries.get(key)
      return value ? Buffer.from(value) : null
    },
    set: async (key, value, ttlMs) => {
      if (ttlMs > 0) entries.set(key, Buffer.from(value), { ttl: ttlMs })
      else entries.delete(key)
    },
    delete: async (key) => {
      entries.delete(key)
    },
  }
}
