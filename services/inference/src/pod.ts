import { join } from 'node:path'
import { Lifetime, type Started } from '@millrace/platform/component.ts'
import type { DirectHandler, Readiness } from '@millrace/platform/service.ts'
import { createAnnouncements } from './announce-serving.ts'
import { createAnswerCache } from './answer-cache.ts'
import { openArtifactCache } from './artifact-cache.ts'
import type { BatchReport } from './batcher.ts'
import type { InferenceDeps } from './deps.ts'
import { wantedBy } from './domain/serving-plan.ts'
import { type Follower, startFollower } from './follow-serving-state.ts'
import { createDirect } from './http/direct.ts'
import { createRoutes } from './http/routes.ts'
import { openLastGood } from './last-good.ts'
import { createLoadVersion, type LoadVersion } from './load-version.ts'
import { createLogPrediction } from './log-prediction.ts'
import { type ArmObserver, createArmObserver } from './observe-arms.ts'
import { openProbeRecords } from './probe-records.ts'
import { type BackgroundPublisher, startBackgroundPublisher } from './publish-in-background.ts'
import { createRunInference } from './run-inference.ts'
import { createRunShadow } from './run-shadow.ts'
import { ServingSet } from './serving-set.ts'
import { startImageReader } from './threads/image-reader.ts'
import { startProbeChild } from './threads/probe.ts'
import { startSessionThread } from './threads/session.ts'
import { createSpare } from './threads/spare.ts'

/** A pod that runs. */
export interface Pod {
  readonly direct: DirectHandler
  readiness(): Readiness
  reconcile(signal: AbortSignal): Promise<void>
  /** Publishes the counts of the window that ends now; false: nothing more to do. */
  publishCounts(): boolean
}

interface Publishers {
  /** ServingActivated, ServingLoadFailed, ServingObserved: tried until the log takes them. */
  readonly serving: BackgroundPublisher
  /** InferenceLogged: dropped rather than kept for long. */
  readonly predictions: BackgroundPublisher
}

/** Starts threads, the last good state and the followers; resolves before any model is loaded: /ready tells when it is. */
export async function startPod(deps: InferenceDeps): Promise<Started<Pod>> {
  const lifetime = new Lifetime()
  try {
    const value = await startParts(deps, lifetime)
    return { value, stop: () => lifetime.stop() }
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}

async function startParts(deps: InferenceDeps, lifetime: Lifetime): Promise<Pod> {
  const { config, log, metrics, clock, newId } = deps
  const identity = { pod: config.INFERENCE_POD, incarnation: newId() }
  const publishers = await startPublishers(deps, lifetime)
  const limits = { maxPixels: config.INFERENCE_MAX_PIXELS, maxSeconds: 10 }
  const images = await lifetime.start(startImageReader({ threads: config.INFERENCE_IMAGE_THREADS, limits }))
  const serving = await startServing(deps, lifetime, createAnnouncements({ ...deps, ...identity, publisher: publishers.serving }))
  const follower = await lifetime.start(
    startFollower({ ...deps, serving, lastGood: openLastGood(join(config.INFERENCE_CACHE_DIR, 'serving-state.json'), log) }),
  )
  const observer = createArmObserver({ ...deps, ...identity, publisher: publishers.serving })
  const answers = createAnswerCache({ cache: deps.cache, metrics, ttlMs: config.INFERENCE_CACHE_TTL_MS })
  const run = createRunInference({ serving, answers, observer, metrics, log })
  const sampling = { pod: identity.pod, sampleRate: config.INFERENCE_LOG_SAMPLE_RATE, random: Math.random }
  const logPrediction = createLogPrediction({ clock, ...sampling, publisher: publishers.predictions })
  const shadow = createRunShadow({ serving, observer, logPrediction, metrics, log, deadlineMs: config.INFERENCE_DEADLINE_MS })
  const readiness = () => describeReadiness(serving, follower)
  const routes = createRoutes({ serving, run, images, logPrediction, shadow, newId, config, isReady: () => readiness().ready })
  return {
    direct: createDirect({ routes, identity: deps.identity, newId, log, metrics, deadlineMs: config.INFERENCE_DEADLINE_MS }),
    readiness,
    reconcile: follower.reconcile,
    publishCounts: () => publishCounts(serving, observer),
  }
}

async function startPublishers(deps: InferenceDeps, lifetime: Lifetime): Promise<Publishers> {
  const { INFERENCE_POD, INFERENCE_LOG_BUFFER } = deps.config
  const source = { ...deps, source: `/millrace/inference/${INFERENCE_POD}` }
  return {
    serving: await lifetime.start(
      startBackgroundPublisher(source, { topic: 'millrace.serving-events.v1', capacity: 10_000, batchSize: 100, lingerMs: 0, tries: Number.POSITIVE_INFINITY }),
    ),
    predictions: await lifetime.start(
      startBackgroundPublisher(source, { topic: 'millrace.inference-log.v1', capacity: INFERENCE_LOG_BUFFER, batchSize: 200, lingerMs: 200, tries: 3 }),
    ),
  }
}

type Announcements = ReturnType<typeof createAnnouncements>

async function startServing(deps: InferenceDeps, lifetime: Lifetime, announcements: Announcements): Promise<ServingSet> {
  const { config, log } = deps
  const cache = await openArtifactCache({
    directory: join(config.INFERENCE_CACHE_DIR, 'artifacts'),
    blobs: deps.blobs,
    maxBytes: config.INFERENCE_CACHE_MAX_BYTES,
  })
  const load: LoadVersion = await createLoader(deps, lifetime, cache, () => serving.versions().reduce((sum, { reservedBytes }) => sum + reservedBytes, 0))
  const serving = new ServingSet({
    load,
    log,
    drainMs: config.INFERENCE_DEADLINE_MS,
    ...announcements,
    onFreed(loaded) {
      announcements.onFreed(loaded)
      const inUse = new Set(serving.versions().flatMap(({ content }) => content))
      cache.evict(inUse).catch((error: unknown) => log.warn('old artifacts could not be removed from the disk', { error }))
    },
  })
  lifetime.onStop(() => serving.stop())
  return serving
}

async function createLoader(
  deps: InferenceDeps,
  lifetime: Lifetime,
  cache: Awaited<ReturnType<typeof openArtifactCache>>,
  reservedBytes: () => number,
): Promise<LoadVersion> {
  const { config, log, metrics, clock } = deps
  const threads = createSpare({ start: startSessionThread, end: (thread) => thread.stop(), usable: () => true })
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
  const instruments = createBatchInstruments(deps)
  return createLoadVersion({
    cache,
    probes: { records, children, timeoutMs: config.INFERENCE_PROBE_TIMEOUT_MS, log },
    metrics,
    log,
    clock,
    memoryBytes: config.INFERENCE_MODEL_MEMORY_BYTES,
    reservedBytes,
    threads,
    startThread: startSessionThread,
    threadCount: config.INFERENCE_THREADS,
    maxBatchRows: config.INFERENCE_MAX_BATCH_ROWS,
    onBatch: instruments,
  })
}

const ROW_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024]

function createBatchInstruments({ metrics }: InferenceDeps) {
  const labels = ['model', 'version']
  const queue = metrics.histogram('inference_queue_seconds', 'Time that the oldest request of a batch waited.', labels)
  const compute = metrics.histogram('inference_compute_seconds', 'Time of one batch in the model.', labels)
  const batchRows = metrics.histogram('inference_batch_rows', 'Rows that ran together.', labels, ROW_BUCKETS)
  const queueRows = metrics.gauge('inference_queue_rows', 'Rows that wait to be run.', labels)
  return (version: { model: string; version: string }, batch: BatchReport) => {
    queue.observe(version, batch.queueMs / 1000)
    compute.observe(version, batch.computeMs / 1000)
    batchRows.observe(version, batch.rows)
    queueRows.set(version, batch.queuedRows)
  }
}

/** Ready once it is known what to serve, and every version of it is loaded or known not to load. Registry and log may be away. */
function describeReadiness(serving: ServingSet, follower: Follower): Readiness {
  const models = serving.all().map((served) => ({
    model: served.model,
    version: served.production?.arm.version ?? null,
    generation: served.production?.arm.generation ?? served.state.generation,
    loading: wantedBy(served.state).filter((wanted) => serving.statusOf(wanted).status === 'pending').length,
  }))
  const answering = serving.versions().length > 0
  return { ready: follower.informed && (answering || serving.settled), detail: { models, stale: follower.stale } }
}

function publishCounts(serving: ServingSet, observer: ArmObserver): boolean {
  observer.publish(serving.all())
  return false
}
