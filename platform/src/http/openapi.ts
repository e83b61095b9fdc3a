import { z } from 'zod'
import type { Access } from './identity.ts'
import type { Route } from './route.ts'

type JsonObject = Record<string, unknown>

interface OpenApiOptions {
  readonly title: string
  readonly version: string
  readonly services: readonly { readonly name: string; readonly routes: readonly Route[] }[]
  /** Path items of what is answered without typed routes, such as the prediction path. */
  readonly further?: Readonly<Record<string, JsonObject>>
}

const RIGHTS: Readonly<Record<Exclude<Access, 'public'>, string>> = {
  read: 'viewer',
  predict: 'user',
  write: 'editor',
  promote: 'promoter',
  admin: 'admin',
  internal: 'another service',
}

/** An OpenAPI 3.1 document of the services' routes, from the schemas that requests are parsed with. Internal routes are left out. */
export function describeRoutes(options: OpenApiOptions): JsonObject {
  const paths: Record<string, JsonObject> = { ...options.further }
  for (const { name, routes } of options.services) {
    for (const route of routes) {
      if (route.access === 'internal') continue
      const path = openApiPath(route.path)
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeOperation(name, route) }
    }
  }
  const sorted = Object.fromEntries(Object.entries(paths).sort(([left], [right]) => (left < right ? -1 : 1)))
  return {
    openapi: '3.1.0',
    info: { title: options.title, version: options.version },
    paths: sorted,
    components: { schemas: errorSchemas, securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
  }
}

/** `/a/:id/*rest` as `/a/{id}/{rest}`. */
const openApiPath = (path: string): string => path.replaceAll(/[:*](\w+)/g, '{$1}')

function describeOperation(service: string, route: Route): JsonObject {
  const { access, schema } = route
  const secured = access === 'public' ? { security: [] } : { security: [{ apiKey: [] }], description: `Needs the right '${access}' (${RIGHTS[access]}).` }
  const body = requestBody(route)
  return {
    operationId: `${service}.${route.method.toLowerCase()}${route.path.replaceAll(/\W+/g, '_')}`,
    tags: [service],
    summary: route.summary,
    ...secured,
    parameters: [...pathParameters(route), ...queryParameters(schema.query)],
    ...(body ? { requestBody: body } : {}),
    responses: { '2XX': { description: 'Success', ...(schema.response ? json(jsonSchema(schema.response, 'output')) : {}) }, default: errorResponse(route) },
  }
}

const json = (schema: JsonObject): JsonObject => ({ content: { 'application/json': { schema } } })

function requestBody({ rawBody, schema }: Route): JsonObject | null {
  if (rawBody) return { content: { 'application/octet-stream': {} } }
  return schema.body ? json(jsonSchema(schema.body, 'input')) : null
}

function pathParameters({ path, schema }: Route): JsonObject[] {
  const properties = schema.params ? propertiesOf(jsonSchema(schema.params, 'input')) : {}
  return [...path.matchAll(/[:*](\w+)/g)].map(([, name = '']) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } }))
}

function queryParameters(query: z.ZodType | undefined): JsonObject[] {
  if (!query) return []
  const schema = jsonSchema(query, 'input')
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return Object.entries(propertiesOf(schema)).map(([name, property]) => ({ name, in: 'query', required: required.includes(name), schema: property }))
}

const record = z.record(z.string(), z.unknown())
const propertiesOf = (schema: JsonObject): JsonObject => record.catch({}).parse(schema['properties'])

/** What JSON Schema cannot say (transformations, refinements) is left out rather than refused. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

const errorNames = { mlflow: 'MlflowError', problem: 'Problem', oip: 'OipError' } as const
const text = { type: 'string' }
const errorSchemas = {
  MlflowError: { type: 'object', required: ['error_code', 'message'], properties: { error_code: text, message: text } },
  OipError: { type: 'object', required: ['error'], properties: { error: text } },
  Problem: {
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'code'],
    properties: { type: text, title: text, status: { type: 'integer' }, detail: text, code: text, request_id: text },
  },
}

function errorResponse(route: Route): JsonObject {
  const schema = { $ref: `#/components/schemas/${errorNames[route.errors]}` }
  return { description: 'Error', content: { [route.errors === 'problem' ? 'application/problem+json' : 'application/json']: { schema } } }
}
