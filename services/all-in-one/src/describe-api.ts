import { apiKeyCreated, apiKeyRequest, apiKeys, gatewayReady } from '@millrace/contracts/http/gateway.ts'
import { inferRequest, inferResponse, modelMetadata, prediction, servedModels } from '@millrace/contracts/http/inference.ts'
import { describeRoutes, jsonSchema } from '@millrace/platform/http/openapi.ts'
import type { Service } from '@millrace/platform/service.ts'
import type { z } from 'zod'

type JsonObject = Record<string, unknown>

/** The OpenAPI document of everything behind the gateway: the services' typed routes, and what the prediction path and the gateway answer themselves. */
export const describeApi = (services: readonly Service[]): JsonObject => describeRoutes({ title: 'Millrace', version: '1', services, further })

const json = (schema: z.ZodType, io: 'input' | 'output'): JsonObject => ({ content: { 'application/json': { schema: jsonSchema(schema, io) } } })

interface Operation {
  readonly tag: 'inference' | 'gateway'
  readonly id: string
  readonly summary: string
  readonly body?: JsonObject
  readonly answer: z.ZodType
  readonly parameters?: readonly JsonObject[]
}

const operation = ({ tag, id, summary, body, answer, parameters = [] }: Operation): JsonObject => ({
  ...{ operationId: `${tag}.${id}`, tags: [tag], summary, parameters },
  ...(body ? { requestBody: { required: true, ...body } } : {}),
  responses: { '2XX': { description: 'Success', ...json(answer, 'output') }, default: { description: 'Error' } },
})

const named = (name: string, place: 'path' | 'query' = 'path'): JsonObject => ({ name, in: place, required: place === 'path', schema: { type: 'string' } })

const picture: JsonObject = {
  content: { 'multipart/form-data': { schema: { type: 'object', required: ['file'], properties: { file: { type: 'string', format: 'binary' } } } } },
}
const predictQuery = [named('model', 'query'), named('version', 'query')]
const infer = {
  tag: 'inference',
  summary: 'Runs a model on tensors (Open Inference Protocol)',
  body: json(inferRequest, 'input'),
  answer: inferResponse,
} as const
const metadata = { tag: 'inference', summary: 'Inputs and outputs of a model', answer: modelMetadata } as const
const key = { tag: 'gateway', answer: apiKeys } as const

const further: Readonly<Record<string, JsonObject>> = {
  '/predict': {
    post: operation({ tag: 'inference', id: 'predict', summary: 'Classifies a picture', body: picture, answer: prediction, parameters: predictQuery }),
  },
  '/v2/models/{model}': { get: operation({ ...metadata, id: 'model', parameters: [named('model')] }) },
  '/v2/models/{model}/versions/{version}': { get: operation({ ...metadata, id: 'version', parameters: [named('model'), named('version')] }) },
  '/v2/models/{model}/infer': { post: operation({ ...infer, id: 'infer', parameters: [named('model')] }) },
  '/v2/models/{model}/versions/{version}/infer': { post: operation({ ...infer, id: 'inferVersion', parameters: [named('model'), named('version')] }) },
  '/api/v1/serving/models': { get: operation({ tag: 'inference', id: 'served', summary: 'What a pod has loaded', answer: servedModels }) },
  '/api/v1/keys': {
    get: operation({ ...key, id: 'listKeys', summary: 'API keys, without the keys themselves' }),
    post: operation({ ...key, id: 'createKey', summary: 'Makes an API key', body: json(apiKeyRequest, 'input'), answer: apiKeyCreated }),
  },
  '/ready': { get: operation({ tag: 'gateway', id: 'ready', summary: 'Whether every part is ready', answer: gatewayReady }) },
}
