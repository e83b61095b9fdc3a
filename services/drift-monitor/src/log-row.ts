import { type InferenceLogged, inferenceLogged } from '@millrace/contracts/events/serving-events.ts'
import { CONFIDENCE_FEATURE, PREDICTED_CLASS_FEATURE } from '@millrace/contracts/model/reference-profile.ts'
import { done, type EventHandler, on, skip } from '@millrace/platform/events/handler.ts'
import type { DriftMonitorDeps } from './deps.ts'
import type { Row } from './domain/feature-counts.ts'
import { insertUncounted } from './store/uncounted-rows.ts'

/** Only what answered for real says how live traffic looks: canaries, shadows and pinned requests are other samples of it. */
const COUNTED_ARM = 'production'

const rowOf = (data: InferenceLogged): Row => ({ [PREDICTED_CLASS_FEATURE]: data.predictedClass, [CONFIDENCE_FEATURE]: data.confidence, ...data.features })

/** Writes a logged prediction down, to be counted with many others by a job. */
export const createLogRow = ({ clock }: Pick<DriftMonitorDeps, 'clock'>): EventHandler =>
  on(inferenceLogged, async function onInferenceLogged({ data }, tx) {
    if (data.arm !== COUNTED_ARM) return skip('not the production arm')
    const { model, version, generation, predictionId } = data
    await insertUncounted(tx, { model, version, generation, predictionId, predictedAt: new Date(data.predictedAt), receivedAt: clock(), row: rowOf(data) })
    return done
  })
