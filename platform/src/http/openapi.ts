import { z } from 'zod'
import type { Access } from './identity.ts'
import type { ErrorDialect, Route } from './route.ts'

type JsonObject = Record<string, unknown>

/** Path items by path. */
export type OpenApiPaths = Readonly<Record<string, JsonObject>>

interface DescribedService {
  readonly name: string
  readonly routes: readonly Route[]
}

interface DocumentOptions {
  readonly title: string
  readonly version: string
  /** CommonMark. */
  readonly description: string
  readonly paths: OpenApiPaths
  readonly tags?: readonly { readonly name: string; readonly description: string }[]
}

const RIGHTS: Readonly<Record<Exclude<Access, 'public'>, string>> = {
  read: 'viewer',
  predict: 'user',
  write: 'editor',
  promote: 'promoter',
  admin: 'admin',
  internal: 'another service',
}

/** Path items of a service's routes, from the schemas that requests are parsed with. Internal routes are left out. */
export function describePaths({ name, routes }: DescribedService): OpenApiPaths {
  const paths: Record<string, JsonObject> = {}
  for (const route of routes) {
    if (route.access === 'internal') continue
    const path = openApiPath(route.path)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeOperation(name, route) }
  }
  return paths
}

/** An OpenAPI 3.1 document; its paths refer to the error schemas that it holds. */
export function openApiDocument({ title, version, description, paths, tags = [] }: DocumentOptions): JsonObject {
  return {
    openapi: '3.1.0',
    info: { title, version, description },
    tags,
    paths: Object.fromEntries(Object.entries(paths).sort(([left], [right]) => (left < right ? -1 : 1))),
    components: {
      schemas: errorSchemas,
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key; `x-api-key` takes it too.' } },
    },
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

/** Every error of a route, in the dialect that it speaks. */
export function errorContent(dialect: ErrorDialect): JsonObject {
  const schema = { $ref: `#/components/schemas/${errorNames[dialect]}` }
  return { content: { [dialect === 'problem' ? 'application/problem+json' : 'application/json']: { schema } } }
}

const errorResponse = (route: Route): JsonObject => ({ description: 'Error', ...errorContent(route.errors) })
