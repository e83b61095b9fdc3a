import {
  featuresPrediction,
  featuresRequest,
  HEADER_PREDICTION_ID,
  HEADER_ROUTING_KEY,
  HEADER_VERSION,
  inferRequest,
  inferResponse,
  modelMetadata,
  prediction,
  repositoryIndex,
  servedModelEverywhere,
  servedModelsEverywhere,
} from '@millrace/contracts/http/inference.ts'
import type { OpenApiPaths } from '@millrace/platform/http/openapi.ts'
import { z } from 'zod'
import { content, describe, inHeader, inPath, inQuery, type JsonObject } from './operation.ts'

const tag = 'inference'
const model = inPath('model')
const version = inPath('version', 'A version, as the registry numbers it')
const callHeaders = [
  inHeader('x-request-timeout-ms', 'How long the caller will wait', { type: 'integer', minimum: 1 }),
  inHeader(HEADER_PREDICTION_ID, "The caller's own id, under which labels may be sent later"),
  inHeader(HEADER_ROUTING_KEY, 'What a split of traffic is sticky to'),
  inHeader(HEADER_VERSION, 'The version, or the label such as canary or staging, that is to answer, whatever the split says'),
]
const binary = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }
const predicts = [400, 404, 413, 415, 500, 503, 504]
const flag = (name: string): z.ZodType => z.looseObject({ [name]: z.boolean() })
const get = (operation: Omit<Parameters<typeof describe>[0], 'tag' | 'errors'>): JsonObject => ({ get: describe({ tag, errors: 'oip', ...operation }) })
const post = (operation: Omit<Parameters<typeof describe>[0], 'tag' | 'errors'>): JsonObject => ({ post: describe({ tag, errors: 'oip', ...operation }) })

const infer = (id: string, parameters: readonly JsonObject[]): JsonObject =>
  post({
    ...{ id, summary: 'Runs a model on tensors', parameters: [...parameters, ...callHeaders], statuses: predicts },
    description: 'With `Inference-Header-Content-Length` the body is that many bytes of JSON, then raw little-endian tensors (binary tensor extension).',
    body: { ...content(inferRequest, 'input'), ...binary },
    answer: { ...content(inferResponse, 'output'), ...binary },
  })
const metadata = (id: string, parameters: readonly JsonObject[]): JsonObject =>
  get({ id, summary: 'Inputs and outputs of a model', parameters, answer: content(modelMetadata, 'output'), statuses: [404, 503] })
const ready = (id: string, parameters: readonly JsonObject[]): JsonObject =>
  get({ id, summary: 'Whether a model is ready', parameters, answer: content(flag('ready'), 'output'), statuses: [404, 503] })
const statistics = (id: string, parameters: readonly JsonObject[]): JsonObject =>
  get({
    id,
    summary: 'Counts and times of a model',
    parameters,
    answer: content(z.looseObject({ model_stats: z.array(z.looseObject({})) }), 'output'),
    statuses: [404],
  })

const serverMetadata = z.looseObject({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
const VERSION = '/v2/models/{model}/versions/{version}'

/** Open Inference Protocol v2, with the extensions for binary tensors, statistics and the repository. */
export const oipPaths: OpenApiPaths = {
  '/v2': get({ id: 'server', summary: 'Server metadata', answer: content(serverMetadata, 'output') }),
  '/v2/health/live': get({ id: 'live', summary: 'Whether a pod lives', open: true, answer: content(flag('live'), 'output') }),
  '/v2/health/ready': get({ id: 'ready', summary: 'Whether a pod is ready', open: true, answer: content(flag('ready'), 'output'), statuses: [503] }),
  '/v2/models': get({ id: 'models', summary: 'Names of the models', answer: content(z.looseObject({ models: z.array(z.string()) }), 'output') }),
  '/v2/models/stats': statistics('stats', []),
  '/v2/models/{model}': metadata('model', [model]),
  '/v2/models/{model}/ready': ready('modelReady', [model]),
  '/v2/models/{model}/stats': statistics('modelStats', [model]),
  '/v2/models/{model}/infer': infer('infer', [model]),
  [VERSION]: metadata('version', [model, version]),
  [`${VERSION}/ready`]: ready('versionReady', [model, version]),
  [`${VERSION}/stats`]: statistics('versionStats', [model, version]),
  [`${VERSION}/infer`]: infer('inferVersion', [model, version]),
  '/v2/repository/index': post({
    ...{ id: 'repositoryIndex', summary: 'Models and their states', statuses: [400] },
    body: content(z.looseObject({ ready: z.boolean().optional() }), 'input'),
    answer: content(repositoryIndex, 'output'),
  }),
  '/v2/repository/models/{model}/load': post({ id: 'load', summary: 'Loads what the registry says, now', parameters: [model], statuses: [400, 404, 503] }),
  '/v2/repository/models/{model}/unload': post({ id: 'unload', summary: 'Unloads a model from the pods', parameters: [model], statuses: [404, 501] }),
}

const picture = { type: 'object', required: ['file'], properties: { file: { type: 'string', format: 'binary' } } }
/** Millrace's own form: a picture, or columns by name. */
export const predictPaths: OpenApiPaths = {
  '/predict': {
    post: describe({
      ...{ tag, id: 'predict', summary: 'Classifies a picture, or answers for columns by name', errors: 'problem', statuses: predicts },
      parameters: [inQuery('model', 'Needed where several models are served'), inQuery('version', 'Production unless given'), ...callHeaders],
      body: { 'multipart/form-data': { schema: picture }, ...content(featuresRequest, 'input') },
      answer: content(z.union([prediction, featuresPrediction]), 'output'),
    }),
  },
  '/api/v1/serving/models/{model}': {
    get: describe({
      ...{ tag, id: 'servedModel', summary: 'What the pods have loaded of one model', errors: 'problem', statuses: [404], parameters: [model] },
      answer: content(servedModelEverywhere, 'output'),
    }),
  },
  '/api/v1/serving/models': {
    get: describe({ tag, id: 'served', summary: 'What every pod has loaded', errors: 'problem', answer: content(servedModelsEverywhere, 'output') }),
  },
}

const anyJson = z.looseObject({})
const scoringBody = { ...content(anyJson, 'input'), 'text/csv': { schema: { type: 'string' } } }
const scoring = (id: string, parameters: readonly JsonObject[]): JsonObject => ({
  post: describe({
    ...{ tag, id, summary: "Scores as MLflow's server does", errors: 'mlflow', statuses: predicts, parameters: [...parameters, ...callHeaders] },
    description: 'Exactly one of `dataframe_split`, `dataframe_records`, `instances`, `inputs`; or CSV.',
    body: scoringBody,
    answer: content(z.looseObject({ predictions: z.unknown() }), 'output'),
  }),
})

export const mlflowScoringPaths: OpenApiPaths = {
  '/invocations': scoring('invocations', []),
  '/models/{model}/invocations': scoring('modelInvocations', [model]),
  '/models/{model}/versions/{version}/invocations': scoring('versionInvocations', [model, version]),
  '/ping': { get: describe({ tag, id: 'ping', summary: 'Whether a model is loaded', errors: 'mlflow', statuses: [404] }) },
}

const rows = z.looseObject({ instances: z.array(z.unknown()).optional(), inputs: z.unknown().optional(), signature_name: z.string().optional() })
const predict = (id: string, parameters: readonly JsonObject[]): JsonObject =>
  post({
    ...{ id, summary: 'Predicts as TensorFlow Serving does', parameters: [...parameters, ...callHeaders], statuses: predicts },
    description: 'One of `instances` (rows, answered with `predictions`) or `inputs` (columns, answered with `outputs`).',
    body: content(rows, 'input'),
    answer: content(z.looseObject({ predictions: z.unknown().optional(), outputs: z.unknown().optional() }), 'output'),
  })
const status = (id: string, parameters: readonly JsonObject[]): JsonObject =>
  get({
    id,
    summary: 'States of the versions of a model',
    parameters,
    statuses: [404],
    answer: content(z.looseObject({ model_version_status: z.array(anyJson) }), 'output'),
  })
const tensorflowMetadata = (id: string, parameters: readonly JsonObject[]): JsonObject =>
  get({ id, summary: 'Signature of a model, as TensorFlow Serving tells it', parameters, statuses: [404], answer: content(anyJson, 'output') })
const label = inPath('label', 'production, canary or ab')

/** TensorFlow Serving's REST interface, and KServe's first. */
export const kservePaths: OpenApiPaths = {
  '/v1/models': get({ id: 'v1Models', summary: 'Names of the models', answer: content(z.looseObject({ models: z.array(z.string()) }), 'output') }),
  '/v1/models/{model}': status('v1Status', [model]),
  '/v1/models/{model}/versions/{version}': status('v1VersionStatus', [model, version]),
  '/v1/models/{model}/labels/{label}': status('v1LabelStatus', [model, label]),
  '/v1/models/{model}/metadata': tensorflowMetadata('v1Metadata', [model]),
  '/v1/models/{model}/versions/{version}/metadata': tensorflowMetadata('v1VersionMetadata', [model, version]),
  '/v1/models/{model}/labels/{label}/metadata': tensorflowMetadata('v1LabelMetadata', [model, label]),
  '/v1/models/{model}:predict': predict('v1Predict', [model]),
  '/v1/models/{model}/versions/{version}:predict': predict('v1VersionPredict', [model, version]),
  '/v1/models/{model}/labels/{label}:predict': predict('v1LabelPredict', [model, label]),
}
