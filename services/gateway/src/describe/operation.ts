import { errorContent, jsonSchema } from '@millrace/platform/http/openapi.ts'
import type { ErrorDialect } from '@millrace/platform/http/route.ts'
import type { z } from 'zod'

export type JsonObject = Record<string, unknown>

export interface Operation {
  readonly tag: string
  readonly id: string
  readonly summary: string
  readonly description?: string
  /** By content type. */
  readonly body?: JsonObject
  readonly answer?: JsonObject
  readonly errors: ErrorDialect
  /** The statuses of errors, beside those that every route has. */
  readonly statuses?: readonly number[]
  readonly parameters?: readonly JsonObject[]
  /** Nobody in particular may ask. */
  readonly open?: boolean
}

/** What each status means, on every route. */
export const STATUS_MEANINGS: Readonly<Record<number, string>> = {
  400: 'The request is wrong: JSON, shape, datatype, range, a missing input',
  401: 'No API key, or one that does not hold',
  403: 'The key does not include the right',
  404: 'No such thing',
  409: 'It has changed meanwhile, or is there already',
  413: 'The body is too large',
  415: 'The content type is not taken',
  429: "This caller's quota is used up: `Retry-After` tells when to come back",
  500: 'Something failed inside: the log has it under the request id',
  501: 'Not offered',
  503: 'Not ready, or too much to do: `Retry-After`; `x-millrace-reason` where load was shed',
  504: 'The deadline has passed',
}

export const content = (schema: z.ZodType, io: 'input' | 'output', type = 'application/json'): JsonObject => ({ [type]: { schema: jsonSchema(schema, io) } })

export const inPath = (name: string, description?: string): JsonObject => ({
  ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  ...(description ? { description } : {}),
})
export const inQuery = (name: string, description: string, schema: JsonObject = { type: 'string' }): JsonObject => ({ name, in: 'query', description, schema })
export const inHeader = (name: string, description: string, schema: JsonObject = { type: 'string' }): JsonObject => ({
  name,
  in: 'header',
  description,
  schema,
})

/** One operation as OpenAPI writes it, every error with its shape. */
export function describe({ tag, id, summary, description, body, answer, errors, statuses = [], parameters = [], open = false }: Operation): JsonObject {
  const all = [...new Set([...(open ? [] : [401, 403]), 429, ...statuses])].toSorted((left, right) => left - right)
  return {
    ...{ operationId: `${tag}.${id}`, tags: [tag], summary },
    ...(description ? { description } : {}),
    security: open ? [] : [{ apiKey: [] }],
    parameters,
    ...(body ? { requestBody: { required: true, content: body } } : {}),
    responses: {
      200: { description: 'Success', ...(answer ? { content: answer } : {}) },
      ...Object.fromEntries(all.map((status) => [status, { description: STATUS_MEANINGS[status] ?? 'Error', ...errorContent(errors) }])),
      default: { description: 'Error', ...errorContent(errors) },
    },
  }
}
