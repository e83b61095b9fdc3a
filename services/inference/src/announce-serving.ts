import { servingActivated, servingLoadFailed } from '@millrace/contracts/events/serving-events.ts'
import type { InferenceDeps } from './deps.ts'
import type { WantedVersion } from './domain/serving-plan.ts'
import type { LoadFailure } from './load-failure.ts'
import type { LoadedVersion } from './loaded-version.ts'
import type { BackgroundPublisher } from './publish-in-background.ts'
import { type ServedArm, type ServedModel, servedArms } from './served-model.ts'

export interface Announcements {
  onSwap(served: ServedModel, announced: readonly ServedArm[]): void
  onFailed(wanted: WantedVersion, generation: number, failure: LoadFailure): void
  onFreed(loaded: LoadedVersion): void
  /** What the versions take now. */
  onMeasure(versions: readonly LoadedVersion[]): void
}

const SWAP_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Tells log, metrics and events what a pod serves now, and what it could not. */
export function createAnnouncements(
  deps: Pick<InferenceDeps, 'log' | 'metrics' | 'clock'> & { pod: string; incarnation: string; publisher: BackgroundPublisher },
): Announcements {
  const { log, metrics, clock, pod, incarnation, publisher } = deps
  const generation = metrics.gauge('serving_generation', 'Generation of the newest serving state that this pod follows.', ['model'])
  const info = metrics.gauge('model_loaded_info', '1 for every version that is loaded.', ['model', 'version'])
  const memory = metrics.gauge('model_memory_bytes', 'Memory that a loaded version takes, as measured when it was tried.', ['model', 'version'])
  const threads = metrics.gauge('model_threads', 'Threads that run a loaded version.', ['model', 'version'])
  const weight = metrics.gauge('arm_weight_ratio', 'Share of the traffic that an arm is given.', ['model', 'arm'])
  const promoted = metrics.histogram('promotion_to_served_seconds', "From the registry's commit to the swap.", ['model'], SWAP_BUCKETS)
  const failures = metrics.counter('model_load_failures_total', 'Versions that could not be loaded.', ['model', 'reason'])
  const measure = (versions: readonly LoadedVersion[]): void => {
    for (const { model, version, memoryBytes, threads: count } of versions) {
      memory.set({ model, version }, memoryBytes)
      threads.set({ model, version }, count)
    }
  }
  return {
    onSwap(served, announced) {
      generation.set({ model: served.model }, served.state.generation)
      setWeights(weight, served)
      for (const { loaded } of servedArms(served)) info.set({ model: loaded.model, version: loaded.version }, 1)
      measure(servedArms(served).map(({ loaded }) => loaded))
      for (const { arm, loaded } of announced) {
        const time = clock()
        const sinceChangedMs = time.getTime() - Date.parse(served.state.changedAt)
        const { model, version, digest, stages } = loaded
        if (arm.arm === 'production') promoted.observe({ model }, Math.max(0, sinceChangedMs / 1000))
        const warmUpMs = stages['warm-up'] ?? 0
        const loadMs = Object.values(stages).reduce((sum, ms) => sum + ms, 0) - warmUpMs
        log.info('version activated', { model, version, arm: arm.arm, generation: arm.generation, sinceChangedMs, stages })
        const data = { pod, incarnation, model, version, generation: arm.generation, digest, arm: arm.arm, loadMs, warmUpMs, sinceChangedMs }
        publisher.say(servingActivated, model, data, time)
      }
    },
    onMeasure: measure,
    onFailed(wanted, failedGeneration, failure) {
      const { model, version, arm, artifact } = wanted
      const { kind, stage, message } = failure
      failures.add({ model, reason: stage })
      log.error('version could not be loaded; what served before still serves', { model, version, arm, generation: failedGeneration, kind, stage, message })
      const data = {
        pod,
        incarnation,
        model,
        version,
        generation: failedGeneration,
        digest: artifact.sha256,
        arm,
        kind,
        stage,
        message: message.slice(0, 2000),
      }
      publisher.say(servingLoadFailed, model, data, clock())
    },
    onFreed({ model, version }) {
      info.remove({ model, version })
      memory.remove({ model, version })
      threads.remove({ model, version })
      log.info('version freed', { model, version })
    },
  }
}

function setWeights(weight: ReturnType<InferenceDeps['metrics']['gauge']>, served: ServedModel): void {
  const { model } = served
  const arms = servedArms(served)
  let shared = 0
  for (const mode of ['canary', 'ab', 'shadow']) {
    const ratio = (arms.find(({ arm }) => arm.arm === mode)?.arm.weightPercent ?? 0) / 100
    if (mode !== 'shadow') shared += ratio
    weight.set({ model, arm: mode }, ratio)
  }
  weight.set({ model, arm: 'production' }, served.production ? 1 - shared : 0)
}
