import { z } from 'zod'
import { datatype, tensorSpec } from '../model/model-spec.ts'

/** Answer of POST /predict. */
export const prediction = z.looseObject({
  predicted_class: z.string(),
  predicted_label: z.string(),
  confidence: z.number(),
  top_3_predictions: z.array(z.looseObject({ class: z.string(), label: z.string(), probability: z.number() })),
  processing_time_ms: z.number(),
  model_name: z.string(),
  model_version: z.string(),
  cached: z.boolean(),
  request_id: z.string(),
  prediction_id: z.string(),
})
export type Prediction = z.infer<typeof prediction>

/** Open Inference Protocol v2: POST /v2/models/{name}[/versions/{version}]/infer. */
export const inferRequest = z.looseObject({
  id: z.string().max(256).optional(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  inputs: z
    .array(z.looseObject({ name: z.string(), shape: z.array(z.int().nonnegative()), datatype: z.string(), data: z.array(z.unknown()) }))
    .min(1)
    .max(64),
  outputs: z
    .array(z.looseObject({ name: z.string() }))
    .max(64)
    .optional(),
})
export type InferRequest = z.infer<typeof inferRequest>

export const inferResponse = z.looseObject({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string().optional(),
  outputs: z.array(z.looseObject({ name: z.string(), shape: z.array(z.int()), datatype, data: z.array(z.unknown()) })),
})

export const modelMetadata = z.looseObject({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(tensorSpec),
  outputs: z.array(tensorSpec),
  properties: z.record(z.string(), z.string()).optional(),
})

/** GET /api/v1/serving/models: what this pod has loaded. */
export const servedModel = z.looseObject({
  model: z.string(),
  version: z.string(),
  arm: z.string(),
  generation: z.int(),
  digest: z.string(),
  state: z.string().meta({ 'x-known-values': ['ready', 'loading', 'failed'] }),
  since: z.iso.datetime().nullable(),
  sizeBytes: z.int(),
  message: z.string(),
})
export const servedModels = z.looseObject({ pod: z.string(), models: z.array(servedModel) })

/** Names of the response headers of the prediction path. */
export const HEADER_MODEL_VERSION = 'x-millrace-model-version'
export const HEADER_ARM = 'x-millrace-arm'
export const HEADER_GENERATION = 'x-millrace-generation'
export const HEADER_PREDICTION_ID = 'x-prediction-id'
export const HEADER_ROUTING_KEY = 'x-millrace-routing-key'
export const HEADER_REASON = 'x-millrace-reason'
