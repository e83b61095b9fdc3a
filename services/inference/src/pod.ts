import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Lifetime, type Started } from '@millrace/platform/component.ts'
import type { DirectHandler, Readiness } from '@millrace/platform/service.ts'
import { type Announcements, createAnnouncements } from './announce-serving.ts'
import { createAnswerCache } from './answer-cache.ts'
import type { InferenceDeps } from './deps.ts'
import { wantedBy } from './domain/serving-plan.ts'
import { type Follower, startFollower } from './follow-serving-state.ts'
import { createDirect, type DirectRoute } from './http/direct.ts'
import { createRoutes } from './http/routes.ts'
import { openLastGood } from './last-good.ts'
import { createLogPrediction } from './log-prediction.ts'
import { createModelStatistics } from './model-statistics.ts'
import { type ArmObserver, createArmObserver } from './observe-arms.ts'
import { type BackgroundPublisher, startBackgroundPublisher } from './publish-in-background.ts'
import { createRunInference } from './run-inference.ts'
import { createRunShadow } from './run-shadow.ts'
import type { ServingSet } from './serving-set.ts'
import { startServing } from './start-serving.ts'
import { startImageReader } from './threads/image-reader.ts'

/** A pod that runs. */
export interface Pod {
  readonly direct: DirectHandler
  readonly routes: readonly DirectRoute[]
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
  const answers = createAnswerCache({ cache: deps.cache, metrics })
  const announcements = createAnnouncements({ ...deps, ...identity, publisher: publishers.serving })
  const statistics = createModelStatistics(() => clock().getTime())
  const serving = await startServing(deps, lifetime, { ...announcements, forget: answers.forget, onBatch: statistics.onBatch })
  const follower = await lifetime.start(
    startFollower({ ...deps, serving, lastGood: openLastGood(join(config.INFERENCE_CACHE_DIR, 'serving-state.json'), log) }),
  )
  const observer = createArmObserver({ ...deps, ...identity, publisher: publishers.serving })
  const run = createRunInference({ serving, answers, observer, statistics, metrics, log })
  const hashKey = config.INFERENCE_LOG_HASH_KEY || randomBytes(32).toString('hex')
  const logPrediction = createLogPrediction({ clock, log, pod: identity.pod, hashKey, random: Math.random, publisher: publishers.predictions })
  const shadow = createRunShadow({ serving, observer, logPrediction, metrics, log, deadlineMs: config.INFERENCE_DEADLINE_MS })
  const readiness = () => describeReadiness(serving, follower)
  const routes = createRoutes({
    ...{ serving, run, images, logPrediction, shadow, statistics, clock, newId, config },
    isReady: () => readiness().ready,
    reconcile: follower.reconcile,
  })
  return {
    routes,
    direct: createDirect({ routes, identity: deps.identity, newId, log, metrics, deadlineMs: config.INFERENCE_DEADLINE_MS }),
    readiness,
    reconcile: follower.reconcile,
    publishCounts: () => publishCounts(serving, observer, announcements),
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

function publishCounts(serving: ServingSet, observer: ArmObserver, announcements: Announcements): boolean {
  observer.publish(serving.all())
  announcements.onMeasure(serving.versions())
  return false
}
