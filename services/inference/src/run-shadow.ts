import { createHash } from 'node:crypto'
import { messageOf } from '@millrace/platform/errors.ts'
import type { InferenceDeps } from './deps.ts'
import { winnerOf } from './domain/classify.ts'
import { BUCKETS, bucketOf } from './domain/split.ts'
import type { LogPrediction } from './log-prediction.ts'
import type { ArmObserver } from './observe-arms.ts'
import { rowsOfInputs } from './open-version.ts'
import type { InferenceRequest, InferenceResult } from './run-inference.ts'
import type { ServedArm } from './served-model.ts'
import type { ServingSet } from './serving-set.ts'

/** Asks the shadows of a model what was just answered, from the same input under the same prediction id. Returns at once. */
export type RunShadow = (request: Pick<InferenceRequest, 'readFor'>, result: InferenceResult, predictionId: string) => void

export interface ShadowDeps extends Pick<InferenceDeps, 'metrics' | 'log'> {
  readonly serving: ServingSet
  readonly observer: ArmObserver
  readonly logPrediction: LogPrediction
  readonly deadlineMs: number
}

const never = new AbortController().signal

/**
 * One at a time for each shadow: what comes meanwhile is dropped and counted, so that a slow shadow takes nothing from those who wait for answers.
 * Never cached, never retried, never returned.
 */
export function createRunShadow(deps: ShadowDeps): RunShadow {
  const pairs = deps.metrics.counter('shadow_pairs_total', 'Requests that a shadow answered as well, by whether it agreed.', ['model', 'version', 'outcome'])
  const dropped = deps.metrics.counter('shadow_dropped_total', 'Requests that a shadow did not see because it was busy.', ['model', 'version'])
  const busy = new Set<string>()

  async function ask(shadow: ServedArm, request: Pick<InferenceRequest, 'readFor'>, result: InferenceResult, predictionId: string): Promise<void> {
    const { arm, loaded } = shadow
    const labels = { model: loaded.model, version: arm.version }
    const observed = { ...labels, arm: 'shadow', generation: arm.generation, digest: loaded.digest }
    const giveBack = loaded.hold()
    const started = performance.now()
    try {
      const input = request.readFor(loaded)
      const { inputs, statistics } = await input.prepare()
      const outputs = await loaded.run({ inputs, rows: rowsOfInputs(inputs), deadlineMs: started + deps.deadlineMs, signal: never, background: true })
      const seconds = (performance.now() - started) / 1000
      const chosen = { ...shadow, name: 'shadow', bySplit: false, notLoaded: false }
      const answered = { chosen, answer: { outputs, statistics }, cached: false, seconds, input }
      pairs.add({ ...labels, outcome: agreement(result, answered) })
      deps.observer.count(observed, seconds, false)
      deps.logPrediction(answered, predictionId)
    } catch (error) {
      deps.observer.count(observed, (performance.now() - started) / 1000, true)
      deps.log.warn('a shadow failed to answer', { ...labels, reason: messageOf(error) })
    } finally {
      giveBack()
    }
  }

  return function runShadow(request, result, predictionId) {
    const served = deps.serving.get(result.chosen.loaded.model)
    const isShadow = ({ mode }: { mode: string }) => mode === 'shadow'
    if (served?.state.candidates.some(isShadow)) void deps.serving.wake(served.model, ({ arm }) => arm === 'shadow')
    for (const shadow of served?.candidates ?? []) {
      const { arm, loaded } = shadow
      if (arm.arm !== 'shadow' || !isSampled(served?.salt ?? loaded.model, predictionId, arm.weightPercent)) continue
      if (busy.has(arm.key)) {
        dropped.add({ model: loaded.model, version: arm.version })
        continue
      }
      busy.add(arm.key)
      // After the answer has been written.
      setImmediate(() => void ask(shadow, request, result, predictionId).finally(() => busy.delete(arm.key)))
    }
  }
}

/** A hash of its own, so that what a shadow sees has nothing to do with who is in a canary. */
function isSampled(salt: string, predictionId: string, weightPercent: number): boolean {
  const digest = createHash('sha256')
    .update(JSON.stringify(['shadow', salt, predictionId]))
    .digest()
  return bucketOf(digest.readUIntBE(0, 6)) < (weightPercent * BUCKETS) / 100
}

function agreement(result: InferenceResult, shadow: InferenceResult): 'agree' | 'differ' | 'unknown' {
  const [one, other] = [result, shadow].map(({ answer, chosen }) => winnerOf(answer.outputs, chosen.loaded.spec.labels))
  if (!one || !other) return 'unknown'
  return one.class === other.class ? 'agree' : 'differ'
}
