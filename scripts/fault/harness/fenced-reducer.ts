import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import type { ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { until } from '@millrace/platform/testing/until.ts'
import type { ModelSettings } from '../../../services/inference/src/domain/model-settings.ts'
import { keyOf } from '../../../services/inference/src/domain/serving-plan.ts'
import { ServingSet } from '../../../services/inference/src/serving-set.ts'
import type { Activation } from '../check/evidence.ts'

export interface Reducer {
  apply(state: ServingState): boolean
  /** Resolves when what was applied is served. */
  settled(): Promise<void>
}

/** The serving state of model `scale` at a generation: the version has the same number. */
export function stateOf(generation: number): ServingState {
  const sha256 = String(generation).padStart(64, '0')
  const artifact = { uri: `millrace-artifacts:/${sha256}`, sha256, sizeBytes: 1, format: 'onnx' }
  const production = { version: String(generation), runId: null, artifact, signature: null }
  return { model: 'scale', generation, salt: null, production, candidates: [], changedAt: new Date(0).toISOString() }
}

const tensor = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 2] })
const spec: ModelSpec = {
  ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file: 'model.onnx' }], signature: { inputs: [tensor('x')], outputs: [tensor('y')] } },
  ...{ labels: null, preprocessing: null, inputExample: null, parity: null, referenceProfile: null },
}

const settings: ModelSettings = {
  ...{ maxBatchRows: 1, maxQueueRows: 1, maxQueueDelayMs: 0, priority: 'normal', threads: 1, intraOpThreads: null, keepPreviousMs: 0 },
  cache: { ttlMs: 0, maxEntries: 0, maxBytes: 0 },
  log: { sampleRate: 0, maxFeatures: 0, maxBytes: 0, redact: new Map() },
}

/** A pod's own reducer; loading a version takes no time. */
export function createFencedReducer(): Reducer & { readonly activations: readonly Activation[] } {
  const activations: Activation[] = []
  const set = new ServingSet({
    log: silentLog,
    drainMs: 0,
    defaults: settings,
    memoryBytes: Number.MAX_SAFE_INTEGER,
    idleMs: 0,
    load: async (wanted) => ({
      ...{ key: keyOf(wanted), model: wanted.model, version: wanted.version, digest: wanted.artifact.sha256, sizeBytes: 1, memoryBytes: 1, threads: 1 },
      ...{ spec, content: [], since: new Date(0), stages: {}, inFlight: 0, queuedRows: 0, lastUsedMs: 0, settings },
      configure: () => undefined,
      hold: () => () => undefined,
      run: () => Promise.reject(new Error('answers nothing')),
      retire: async () => undefined,
    }),
    onSwap({ model, production }) {
      if (!production) return
      const { version, generation } = production.arm
      activations.push({ pod: 'pod-1', incarnation: 'a', model, version, generation, digest: production.loaded.digest, atMs: generation })
    },
    onFailed: () => undefined,
    onFreed: () => undefined,
  })
  return { activations, apply: (state) => set.apply(state), settled: async () => void (await until(() => set.settled)) }
}
