import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Lifetime } from '@millrace/platform/component.ts'
import { onnxLimitsOf } from '@millrace/platform/model/onnx-limits.ts'
import type { Announcements } from './announce-serving.ts'
import { type ArtifactCache, openArtifactCache } from './artifact-cache.ts'
import type { BatchReport } from './batcher.ts'
import type { InferenceConfig } from './config.ts'
import type { InferenceDeps } from './deps.ts'
import type { ModelSettings } from './domain/model-settings.ts'
import { createLoadVersion, type LoadVersion } from './load-version.ts'
import type { LoadedVersion } from './loaded-version.ts'
import { noteStuck } from './probe-artifact.ts'
import { openProbeRecords } from './probe-records.ts'
import { ServingSet } from './serving-set.ts'
import { createThreadPool } from './thread-pool.ts'
import { startProbeChild } from './threads/probe.ts'
import { startSessionThread } from './threads/session.ts'
import { createSpare } from './threads/spare.ts'

export interface ServingParts extends Announcements {
  /** Lets go of the answers of a version that was freed. */
  readonly forget: (model: string, digest: string) => void
  readonly onBatch: OnBatch
}

type OnBatch = (version: { model: string; version: string }, batch: BatchReport) => void

/** The models of a pod with everything that loads and runs them. */
export async function startServing(deps: InferenceDeps, lifetime: Lifetime, parts: ServingParts): Promise<ServingSet> {
  const { config, log } = deps
  const cache = await openArtifactCache({
    directory: join(config.INFERENCE_CACHE_DIR, 'artifacts'),
    blobs: deps.blobs,
    maxBytes: config.INFERENCE_CACHE_MAX_BYTES,
  })
  const defaults = defaultSettings(config)
  const limits = { memoryBytes: config.INFERENCE_MODEL_MEMORY_BYTES, idleMs: config.INFERENCE_UNLOAD_IDLE_MS }
  const load = await createLoader(deps, lifetime, { cache, defaults, onBatch: parts.onBatch, serving: () => serving })
  const serving: ServingSet = new ServingSet({
    load,
    log,
    defaults,
    drainMs: config.INFERENCE_DEADLINE_MS,
    ...limits,
    ...parts,
    onFreed(loaded) {
      parts.onFreed(loaded)
      parts.forget(loaded.model, loaded.digest)
      const inUse = new Set(serving.versions().flatMap(({ content }) => content))
      cache.evict(inUse).catch((error: unknown) => log.warn('old artifacts could not be removed from the disk', { error }))
    },
  })
  lifetime.onStop(() => serving.stop())
  return serving
}

/** How a model is served that nothing was set for. */
const defaultSettings = (config: InferenceConfig): ModelSettings => ({
  maxBatchRows: config.INFERENCE_MAX_BATCH_ROWS,
  maxQueueRows: 8 * config.INFERENCE_MAX_BATCH_ROWS,
  maxQueueDelayMs: config.INFERENCE_MAX_QUEUE_DELAY_MS,
  priority: 'normal',
  threads: config.INFERENCE_THREADS,
  intraOpThreads: null,
  keepPreviousMs: config.INFERENCE_KEEP_PREVIOUS_MINUTES * 60_000,
  cache: { ttlMs: config.INFERENCE_CACHE_TTL_MS, maxEntries: config.INFERENCE_CACHE_ENTRIES, maxBytes: config.INFERENCE_CACHE_BYTES },
  log: {
    sampleRate: config.INFERENCE_LOG_SAMPLE_RATE,
    maxFeatures: config.INFERENCE_LOG_MAX_FEATURES,
    maxBytes: config.INFERENCE_LOG_MAX_BYTES,
    redact: new Map(),
  },
})

const memoryOfAll = (versions: readonly LoadedVersion[]): number => versions.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)

/** A swap gives a thread back soon after it took one: only where none comes is another started. */
const REFILL_AFTER_MS = 1000

interface LoaderParts {
  readonly cache: ArtifactCache
  readonly defaults: ModelSettings
  readonly onBatch: OnBatch
  readonly serving: () => ServingSet
}

async function createLoader(deps: InferenceDeps, lifetime: Lifetime, { cache, defaults, onBatch, serving }: LoaderParts): Promise<LoadVersion> {
  const { config, log, metrics, clock } = deps
  const threads = createSpare({ start: startSessionThread, end: (thread) => thread.stop(), usable: () => true, refillAfterMs: REFILL_AFTER_MS })
  const children = createSpare({
    start: () => startProbeChild(config.INFERENCE_PROBE_MEMORY_BYTES),
    end: (child) => child.stop(),
    usable: (child) => child.alive,
  })
  lifetime.onStop(() => threads.stop())
  lifetime.onStop(() => children.stop())
  threads.refill()
  children.refill()
  const records = await openProbeRecords(join(config.INFERENCE_CACHE_DIR, 'probes'))

  async function onStuck(digest: string): Promise<void> {
    const failure = await noteStuck(records, digest)
    if (failure) serving().quarantine(digest, failure)
  }

  return createLoadVersion({
    ...{ cache, metrics, log, clock, defaults, threads },
    probes: { records, children, timeoutMs: config.INFERENCE_PROBE_TIMEOUT_MS, log },
    onnxLimits: onnxLimitsOf(config),
    cores: availableParallelism(),
    startThread: startSessionThread,
    pool: createThreadPool(config.INFERENCE_POOL_THREADS),
    hasRoom: (bytes) => bytes <= config.INFERENCE_MODEL_MEMORY_BYTES - memoryOfAll(serving().versions()),
    runLimitMs: Math.max(config.INFERENCE_RUN_LIMIT_MS, config.INFERENCE_DEADLINE_MS),
    idleMs: config.INFERENCE_THREAD_IDLE_MS,
    onStuck: (digest) => void onStuck(digest).catch((error: unknown) => log.error('a model that did not come to an end could not be noted', { digest, error })),
    onBatch: createBatchInstruments(deps, onBatch),
  })
}

const ROW_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024]

function createBatchInstruments({ metrics }: InferenceDeps, onBatch: OnBatch): OnBatch {
  const labels = ['model', 'version']
  const queue = metrics.histogram('inference_queue_seconds', 'Time that the oldest request of a batch waited.', labels)
  const compute = metrics.histogram('inference_compute_seconds', 'Time of one batch in the model.', labels)
  const batchRows = metrics.histogram('inference_batch_rows', 'Rows that ran together.', labels, ROW_BUCKETS)
  const queueRows = metrics.gauge('inference_queue_rows', 'Rows that wait to be run.', labels)
  return (version, batch) => {
    onBatch(version, batch)
    queue.observe(version, batch.queueMs / 1000)
    compute.observe(version, batch.computeMs / 1000)
    batchRows.observe(version, batch.rows)
    queueRows.set(version, batch.queuedRows)
  }
}
