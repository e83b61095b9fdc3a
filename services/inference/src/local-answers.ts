import type { Answer } from './answer-cache.ts'
import type { CacheSettings } from './domain/model-settings.ts'
import { rawSizeOf } from './domain/tensor-size.ts'

interface Entry {
  readonly answer: Answer
  readonly bytes: number
  readonly expiresMs: number
}

/** Answers in this process, as they are, bounded for each model by entries and bytes: what was used least recently goes first. */
export interface LocalAnswers {
  get(model: string, key: string): Answer | null
  set(model: string, key: string, answer: Answer, settings: CacheSettings): void
  /** Forgets the keys of a model that begin with `prefix`. */
  drop(model: string, prefix: string): void
  /** Bytes that are kept for a model. */
  sizeOf(model: string): number
}

/** What an entry costs beside its values: key, objects, typed arrays. */
const OVERHEAD_BYTES = 500

export function createLocalAnswers(now: () => number): LocalAnswers {
  const models = new Map<string, { entries: Map<string, Entry>; bytes: number }>()

  function remove(model: string, key: string): void {
    const kept = models.get(model)
    const entry = kept?.entries.get(key)
    if (!kept || !entry) return
    kept.entries.delete(key)
    kept.bytes -= entry.bytes
    if (kept.entries.size === 0) models.delete(model)
  }

  return {
    get(model, key) {
      const kept = models.get(model)
      const entry = kept?.entries.get(key)
      if (!kept || !entry) return null
      if (entry.expiresMs <= now()) {
        remove(model, key)
        return null
      }
      // A map keeps the order of insertion: the first is the one used least recently.
      kept.entries.delete(key)
      kept.entries.set(key, entry)
      return entry.answer
    },
    set(model, key, answer, { ttlMs, maxEntries, maxBytes }) {
      remove(model, key)
      const bytes = answer.outputs.reduce((sum, output) => sum + rawSizeOf(output), OVERHEAD_BYTES + 2 * key.length)
      if (bytes > maxBytes || maxEntries === 0 || ttlMs === 0) return
      const kept = models.get(model) ?? { entries: new Map<string, Entry>(), bytes: 0 }
      models.set(model, kept)
      kept.entries.set(key, { answer, bytes, expiresMs: now() + ttlMs })
      kept.bytes += bytes
      for (const oldest of kept.entries.keys()) {
        if (kept.entries.size <= maxEntries && kept.bytes <= maxBytes) break
        remove(model, oldest)
      }
    },
    drop(model, prefix) {
      for (const key of [...(models.get(model)?.entries.keys() ?? [])]) if (key.startsWith(prefix)) remove(model, key)
    },
    sizeOf: (model) => models.get(model)?.bytes ?? 0,
  }
}
