import { createHmac } from 'node:crypto'
import { type InferenceLogged, inferenceLogged } from '@millrace/contracts/events/serving-events.ts'
import { imageStatisticNames } from '@millrace/contracts/model/reference-profile.ts'
import type { InferenceDeps } from './deps.ts'
import { winnerOf } from './domain/classify.ts'
import type { LogSettings } from './domain/model-settings.ts'
import { loggedValue, nameFeatures } from './domain/name-features.ts'
import { type FeatureValue, redactFeatures } from './domain/redact.ts'
import type { Tensor } from './domain/tensor.ts'
import { rowsOfInputs } from './open-version.ts'
import type { BackgroundPublisher } from './publish-in-background.ts'
import type { InferenceResult } from './run-inference.ts'

/** Notes an answered prediction for those who watch the traffic; never holds it up. `rows` above 1 are logged without class, confidence and features. */
export type LogPrediction = (result: InferenceResult, predictionId: string) => void

export interface LogDeps extends Pick<InferenceDeps, 'clock' | 'log'> {
  readonly pod: string
  readonly publisher: BackgroundPublisher
  readonly random: () => number
  /** Without it nobody can find the value of a hashed feature by trying. */
  readonly hashKey: string
}

const DIGEST_CHARACTERS = 32

export function createLogPrediction(deps: LogDeps): LogPrediction {
  const { clock, pod, publisher, random, hashKey, log } = deps
  const digest = (text: string): string => createHmac('sha256', hashKey).update(text).digest('hex').slice(0, DIGEST_CHARACTERS)

  async function publish(result: InferenceResult, predictionId: string, time: Date): Promise<void> {
    const { chosen, answer, cached, seconds } = result
    const { model, settings, spec } = chosen.loaded
    const winner = winnerOf(answer.outputs, spec.labels)
    const { features, bytes, capped } = redactFeatures(await featuresOf(result), settings.log, digest)
    const outputs = describeOutputs(answer.outputs, { ...settings.log, maxBytes: settings.log.maxBytes - bytes }, digest)
    const data: InferenceLogged = {
      predictionId,
      pod,
      model,
      version: chosen.arm.version,
      generation: chosen.arm.generation,
      arm: chosen.name,
      sampleRate: settings.log.sampleRate,
      cached,
      latencyMs: seconds * 1000,
      predictedClass: winner?.class ?? null,
      confidence: winner?.probability ?? null,
      features,
      outputs: outputs.told,
      capped: capped || outputs.capped,
      predictedAt: time.toISOString(),
    }
    publisher.say(inferenceLogged, `${model}/${predictionId}`, data, time)
  }

  return function logPrediction(result, predictionId) {
    const { sampleRate } = result.chosen.loaded.settings.log
    if (sampleRate === 0 || random() >= sampleRate || !publisher.hasRoom()) return
    publish(result, predictionId, clock()).catch((error: unknown) => log.warn('a prediction could not be logged', { predictionId, error }))
  }
}

/** A picture by its statistics, one row of anything else by its values. */
async function featuresOf({ answer, chosen, input }: InferenceResult): Promise<Iterable<readonly [string, FeatureValue]>> {
  if (answer.statistics) return answer.statistics.map((value, index) => [imageStatisticNames[index] ?? String(index), value] as const)
  if (chosen.loaded.spec.preprocessing) return []
  const { inputs } = await input.prepare()
  return rowsOfInputs(inputs) === 1 ? nameFeatures(inputs, chosen.loaded.spec) : []
}

type Outputs = NonNullable<InferenceLogged['outputs']>

/** Outputs follow the same policy by their names; each is told whole or not at all. */
function describeOutputs(outputs: readonly Tensor[], policy: LogSettings, digest: (text: string) => string): { told: Outputs; capped: boolean } {
  const told: Outputs = []
  let left = policy.maxBytes
  for (const output of outputs) {
    if (policy.redact.get(output.name) === 'drop') continue
    const size = 8 * output.data.length
    if (size > left) return { told, capped: true }
    left -= size
    told.push({ name: output.name, shape: [...output.shape], data: redactData(output, policy, digest) })
  }
  return { told, capped: false }
}

function redactData(output: Tensor, policy: LogSettings, digest: (text: string) => string): FeatureValue[] {
  const values = Array.from({ length: output.data.length }, (_, index) => loggedValue(output, index))
  if (!policy.redact.has(output.name)) return values
  const unbounded = { ...policy, maxFeatures: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }
  return values.map((value) => redactFeatures([[output.name, value]], unbounded, digest).features[output.name] ?? null)
}
