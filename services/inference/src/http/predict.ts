import type { Clock } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { findModel } from '../choose-arm.ts'
import { describePredictions, type RowPrediction } from '../domain/describe-predictions.ts'
import { type FeaturesBody, featureInputs, parseFeatures } from '../domain/parse-features.ts'
import { isRefusal } from '../domain/tensor.ts'
import type { ServingSet } from '../serving-set.ts'
import type { Answered, AskModel } from './ask-model.ts'
import { type Exchange, queryValue, type Reply } from './exchange.ts'
import { mediaTypeOf, readJson } from './read-json.ts'
import { wishFor, wishOf } from './version-wish.ts'

export interface PredictDeps {
  readonly serving: ServingSet
  readonly ask: AskModel
  readonly clock: Clock
  readonly maxBodyBytes: number
  /** Answers a form with a picture. */
  readonly predictPicture: (exchange: Exchange) => Promise<Reply>
}

const EXPECTED = 'send {"features": [...]}, {"columns": {name: value}} or {"records": [{name: value}]}'

/** POST /predict: a picture as a form, or features as JSON. */
export const createPredict = (deps: PredictDeps) =>
  async function predict(exchange: Exchange): Promise<Reply> {
    const isJson = mediaTypeOf(exchange) === 'application/json'
    return isJson ? predictFeatures(deps, exchange) : deps.predictPicture(exchange)
  }

async function predictFeatures({ serving, ask, clock, maxBodyBytes }: PredictDeps, exchange: Exchange): Promise<Reply> {
  const body = parseFeatures(await readJson(exchange, maxBodyBytes, EXPECTED))
  if (isRefusal(body)) throw new AppError('BAD_REQUEST', `${body.refused}.`)
  const served = findModel(serving, body.model ?? queryValue(exchange.query, 'model'))
  const version = body.version ?? queryValue(exchange.query, 'version')
  const label = queryValue(exchange.query, 'label')
  const wish = wishOf(served, exchange.request, label === null ? wishFor(served, version) : { version, label })
  const answered = await ask(exchange, { served, wish, routingKey: body.routingKey, read: (spec) => featureInputs(spec, body) })
  return { status: 200, headers: answered.headers, body: render(answered, body, exchange, clock()) }
}

const rounded = (seconds: number): number => Math.round(seconds * 1e6) / 1e6

/** `processing_time` is in seconds; `prediction` a class, a number, or a list where the model answers several values. */
function render({ outputs, spec, result, predictionId }: Answered, body: FeaturesBody, exchange: Exchange, now: Date): string {
  const rows = describePredictions(outputs, spec.labels)
  const [first] = rows
  if (!first) throw new AppError('INTERNAL_ERROR', 'The model answered nothing. It has been logged.')
  const about = {
    model_name: result.chosen.loaded.model,
    model_version: result.chosen.arm.version,
    request_id: body.requestId ?? exchange.requestId,
    prediction_id: predictionId,
    timestamp: now.toISOString(),
    processing_time: rounded((performance.now() - exchange.startedMs) / 1000),
    cached: result.cached,
  }
  const head = body.many ? `{"predictions":[${rows.map((row) => `{${renderRow(row)}}`).join(',')}]` : `{${renderRow(first)}`
  return `${head},${JSON.stringify(about).slice(1)}`
}

const renderRow = ({ prediction, confidence }: RowPrediction): string => `"prediction":${prediction},"confidence":${JSON.stringify(confidence)}`
