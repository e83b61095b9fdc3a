import { type InferenceLogged, inferenceLogged } from '@millrace/contracts/events/serving-events.ts'
import { imageStatisticNames } from '@millrace/contracts/model/reference-profile.ts'
import type { InferenceDeps } from './deps.ts'
import { winnerOf } from './domain/classify.ts'
import type { BackgroundPublisher } from './publish-in-background.ts'
import type { InferenceResult } from './run-inference.ts'

/** Notes an answered prediction for those who watch the traffic; never holds it up. `rows` above 1 are logged without class and confidence. */
export type LogPrediction = (result: InferenceResult, predictionId: string) => void

export function createLogPrediction(
  deps: Pick<InferenceDeps, 'clock'> & { pod: string; sampleRate: number; publisher: BackgroundPublisher; random: () => number },
): LogPrediction {
  const { clock, pod, sampleRate, publisher, random } = deps
  return function logPrediction(result, predictionId) {
    if (random() >= sampleRate) return
    const time = clock()
    const { chosen, answer, cached, seconds } = result
    const winner = winnerOf(answer.outputs, chosen.loaded.spec.labels)
    const data: InferenceLogged = {
      predictionId,
      pod,
      model: chosen.loaded.model,
      version: chosen.arm.version,
      generation: chosen.arm.generation,
      arm: chosen.name,
      sampleRate,
      cached,
      latencyMs: seconds * 1000,
      predictedClass: winner?.class ?? null,
      confidence: winner?.probability ?? null,
      features: Object.fromEntries((answer.statistics ?? []).map((value, index) => [imageStatisticNames[index], value])),
      predictedAt: time.toISOString(),
    }
    publisher.say(inferenceLogged, `${chosen.loaded.model}/${predictionId}`, data, time)
  }
}
