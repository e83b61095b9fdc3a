import type { Prediction } from '@millrace/contracts/http/inference.ts'
import type { NewId } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { findModel } from '../choose-arm.ts'
import { classify } from '../domain/classify.ts'
import { isRefusal, type Tensor } from '../domain/tensor.ts'
import type { LoadedVersion } from '../loaded-version.ts'
import type { LogPrediction } from '../log-prediction.ts'
import type { InferenceResult, RunInference, VersionInput } from '../run-inference.ts'
import type { RunShadow } from '../run-shadow.ts'
import type { ServingSet } from '../serving-set.ts'
import type { ImageReader } from '../threads/image-reader.ts'
import { answerHeaders } from './answer-headers.ts'
import { type Exchange, json, predictionIdOf, queryValue, type Reply, routingKeyOf } from './exchange.ts'
import { readImageForm, type UploadedImage } from './read-image-form.ts'
import { wishOf } from './version-wish.ts'

export interface PredictPictureDeps {
  readonly serving: ServingSet
  readonly run: RunInference
  readonly images: ImageReader
  readonly logPrediction: LogPrediction
  readonly shadow: RunShadow
  readonly newId: NewId
  readonly maxBodyBytes: number
}

/** POST /predict[?model=][&version=|&label=] with a form: a picture in, the classes it shows out. */
export const createPredictPicture = (deps: PredictPictureDeps) =>
  async function predictPicture(exchange: Exchange): Promise<Reply> {
    const { request, query, deadlineMs, signal, startedMs, requestId } = exchange
    const named = { version: queryValue(query, 'version'), label: queryValue(query, 'label') }
    const served = findModel(deps.serving, queryValue(query, 'model'))
    const { model } = served
    exchange.requireUse(model)
    const wish = wishOf(served, request, named)
    const image = await readImageForm(request, { maxBytes: deps.maxBodyBytes, deadlineMs })
    const predictionId = predictionIdOf(request, deps.newId)
    const readFor = (loaded: LoadedVersion) => readImage(deps.images, loaded, image)
    const result = await deps.run({
      model,
      wish: { ...wish, routingKey: routingKeyOf(request, null, predictionId) },
      deadlineMs,
      signal,
      readFor,
    })
    const body = describe(result, { startedMs, requestId, predictionId })
    deps.logPrediction(result, predictionId)
    deps.shadow({ readFor }, result, predictionId)
    return json(body, answerHeaders(result, predictionId))
  }

function readImage(images: ImageReader, { model, spec }: LoadedVersion, { bytes, sha256 }: UploadedImage): VersionInput {
  const { preprocessing, labels, signature } = spec
  const [input] = signature.inputs
  if (!preprocessing || !labels || !input) {
    throw new AppError(
      'BAD_REQUEST',
      `The model '${model}' takes tensors, not pictures: send JSON features, or use POST /v2/models/${encodeURIComponent(model)}/infer.`,
    )
  }
  return {
    contentKey: () => `image:${sha256}`,
    async prepare() {
      const { values, statistics } = await images.read(bytes, preprocessing)
      const { width, height, layout } = preprocessing
      const shape = layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3]
      const tensor: Tensor = { name: input.name, datatype: 'FP32', shape, data: values }
      return { inputs: [tensor], statistics }
    },
  }
}

function describe({ chosen, answer, cached }: InferenceResult, ids: { startedMs: number; requestId: string; predictionId: string }): Prediction {
  const { model, spec } = chosen.loaded
  const ranked = classify(answer.outputs, spec.labels ?? [])
  const [best] = isRefusal(ranked) ? [] : ranked
  if (isRefusal(ranked) || !best) {
    const cause = new Error(isRefusal(ranked) ? ranked.refused : 'the model has no labels')
    throw new AppError('INTERNAL_ERROR', 'The model answered something that is not a classification. It has been logged.', { cause })
  }
  return {
    predicted_class: best.class,
    predicted_label: best.label,
    confidence: best.probability,
    top_3_predictions: ranked.map((entry) => ({ class: entry.class, label: entry.label, probability: entry.probability })),
    processing_time_ms: Math.round((performance.now() - ids.startedMs) * 1000) / 1000,
    model_name: model,
    model_version: chosen.arm.version,
    cached,
    request_id: ids.requestId,
    prediction_id: ids.predictionId,
  }
}
