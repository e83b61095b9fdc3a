import { expect, test } from 'vitest'
import { intraOpThreadsFor, type ModelSettings, resolveSettings } from './model-settings.ts'

const defaults: ModelSettings = {
  maxBatchRows: 32,
  maxQueueRows: 256,
  maxQueueDelayMs: 0,
  priority: 'normal',
  threads: 4,
  intraOpThreads: null,
  keepPreviousMs: 0,
  cache: { ttlMs: 3_600_000, maxEntries: 1000, maxBytes: 10_000 },
  log: { sampleRate: 1, maxFeatures: 100, maxBytes: 1000, redact: new Map() },
}

test('without settings a model is served as the pod is set up', () => {
  expect(resolveSettings(undefined, defaults)).toEqual(defaults)
})

test('what is set counts, and the queue follows the batch', () => {
  const settings = resolveSettings({ maxBatchRows: 4, keepPreviousMinutes: 2, cache: { ttlSeconds: 60 }, log: { sampleRate: 0.5 } }, defaults)
  expect(settings).toMatchObject({ maxBatchRows: 4, maxQueueRows: 32, keepPreviousMs: 120_000, cache: { ttlMs: 60_000, maxEntries: 1000 } })
  expect(resolveSettings({ cache: { off: true, ttlSeconds: 60 } }, defaults).cache.ttlMs).toBe(0)
})

test('a redaction that is not known drops the feature; a priority that is not known is none', () => {
  const { priority, log } = resolveSettings({ priority: 'utmost', log: { redact: { email: 'encrypt', age: 'hash' } } }, defaults)
  expect([priority, log.redact.get('email'), log.redact.get('age')]).toEqual(['normal', 'drop', 'hash'])
})

test('a large model gets several threads within an operator, unless it was told otherwise', () => {
  expect(intraOpThreadsFor(defaults, 1_000_000, 8)).toBe(1)
  expect(intraOpThreadsFor(defaults, 200_000_000, 8)).toBe(4)
  expect(intraOpThreadsFor({ ...defaults, intraOpThreads: 1 }, 200_000_000, 8)).toBe(1)
  expect(intraOpThreadsFor(defaults, 200_000_000, 1)).toBe(1)
})
