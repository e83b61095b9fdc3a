import { z } from 'zod'
import { datatype, tensorSpec } from '../model/model-spec.ts'

/** Answer of POST /predict to a picture. */
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

const featureValue = z.union([z.number(), z.string(), z.boolean(), z.null()])

/**
 * JSON body of POST /predict: one of `features` (values in the order of the model's features; a list of lists is several rows), `columns` (name to value, or to
 * a list of values) and `records` (one object per row).
 */
export const featuresRequest = z.looseObject({
  model: z.string().optional(),
  /** `latest` or nothing: the version that the serving state gives the caller. */
  model_version: z.string().optional(),
  request_id: z.string().max(256).optional(),
  routing_key: z.string().max(256).optional(),
  features: z.array(z.union([featureValue, z.array(featureValue)])).optional(),
  columns: z.record(z.string(), z.union([featureValue, z.array(featureValue)])).optional(),
  records: z.array(z.record(z.string(), featureValue)).optional(),
})

const rowPrediction = { prediction: z.unknown(), confidence: z.number().nullable() }

/** Answer of POST /predict to features: `prediction` and `confidence` for one row, `predictions` where the body gave rows. */
export const featuresPrediction = z.looseObject({
  prediction: z.unknown().optional(),
  confidence: z.number().nullable().optional(),
  predictions: z.array(z.looseObject(rowPrediction)).optional(),
  model_name: z.string(),
  model_version: z.string(),
  request_id: z.string(),
  prediction_id: z.string(),
  timestamp: z.iso.datetime(),
  /** Seconds in the pod. */
  processing_time: z.number(),
  cached: z.boolean(),
})

/** Parameters of a request, an input or an output; `binary_data_size`, `binary_data` and `binary_data_output` are those of the binary tensor extension. */
const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

/** Open Inference Protocol v2: POST /v2/models/{name}[/versions/{version}]/infer. */
export const inferRequest = z.looseObject({
  id: z.string().max(256).optional(),
  parameters: parameters.optional(),
  inputs: z
    .array(
      z.looseObject({
        name: z.string(),
        shape: z.array(z.int().nonnegative()),
        datatype: z.string(),
        parameters: parameters.optional(),
        data: z.array(z.unknown()).optional(),
      }),
    )
    .min(1)
    .max(64),
  outputs: z
    .array(z.looseObject({ name: z.string(), parameters: parameters.optional() }))
    .max(64)
    .optional(),
})

export const inferResponse = z.looseObject({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string().optional(),
  outputs: z.array(
    z.looseObject({ name: z.string(), shape: z.array(z.int()), datatype, parameters: parameters.optional(), data: z.array(z.unknown()).optional() }),
  ),
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
  /** `unloaded`: it made room for others, and is loaded again when it is asked for. */
  state: z.string().meta({ 'x-known-values': ['ready', 'loading', 'failed', 'unloaded'] }),
  since: z.iso.datetime().nullable(),
  sizeBytes: z.int(),
  /** Of what is loaded: memory as measured, threads that run it, how long the load took. */
  memoryBytes: z.number().optional(),
  threads: z.int().optional(),
  loadMs: z.number().optional(),
  message: z.string(),
})
export const servedModels = z.looseObject({ pod: z.string(), models: z.array(servedModel) })
/** The same path at the gateway: what every pod has loaded, the first of them in the place of `pod` and `models`. `silentPods` gave no answer. */
export const servedModelsEverywhere = servedModels.extend({ pods: z.array(servedModels), silentPods: z.int() })

/** GET /api/v1/serving/models/{name}: one model in the pod that answers. */
export const servedModelDetail = z.looseObject({
  pod: z.string(),
  model: z.string(),
  generation: z.int(),
  versions: z.array(servedModel),
  task: z.string().nullable(),
  /** What one row consists of: columns by name, or the inputs. `size` is how many values it takes, null where that is open. */
  features: z.array(z.looseObject({ name: z.string(), type: z.string(), required: z.boolean(), size: z.int().nullable() })),
  inputs: z.array(tensorSpec),
  outputs: z.array(tensorSpec),
  labels: z.array(z.string()).nullable(),
})
/** The same path at the gateway: told by the pod of the highest generation, and what each pod has loaded. */
export const servedModelEverywhere = servedModelDetail.extend({
  pods: z.array(servedModelDetail.pick({ pod: true, generation: true, versions: true })),
  silentPods: z.int(),
})

/** POST /v2/repository/index */
export const repositoryIndex = z.array(
  z.looseObject({ name: z.string(), version: z.string(), state: z.enum(['READY', 'UNAVAILABLE', 'LOADING', 'UNLOADING', 'UNKNOWN']), reason: z.string() }),
)

/** Names of the response headers of the prediction path. */
export const HEADER_MODEL_VERSION = 'x-millrace-model-version'
export const HEADER_ARM = 'x-millrace-arm'
export const HEADER_GENERATION = 'x-millrace-generation'
/** `true` where the answer was there already, or was another request's. */
export const HEADER_CACHED = 'x-millrace-cached'
export const HEADER_PREDICTION_ID = 'x-prediction-id'
/** Of a request: the version or label that is to answer it, whatever the split says. */
export const HEADER_VERSION = 'x-millrace-version'
export const HEADER_ROUTING_KEY = 'x-millrace-routing-key'
export const HEADER_REASON = 'x-millrace-reason'
