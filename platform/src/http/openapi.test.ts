import { expect, test } from 'vitest'
import { z } from 'zod'
import { describePaths, openApiDocument } from './openapi.ts'
import { ok, route } from './route.ts'

const handle = async () => ok({})
const params = z.object({ name: z.string().max(10) })
const routes = [
  route({
    method: 'PUT',
    path: '/api/v1/models/:name/rollout',
    access: 'promote',
    summary: 'Roll out',
    params,
    body: z.strictObject({ weight: z.int() }),
    handle,
  }),
  route({
    method: 'GET',
    path: '/api/v1/files/*path',
    access: 'public',
    summary: 'File',
    query: z.object({ size: z.string(), page: z.string().optional() }),
    handle,
  }),
  route({ method: 'POST', path: '/api/v1/internal', access: 'internal', summary: 'Hidden', handle }),
  route({ method: 'GET', path: '/api/2.0/mlflow/get', access: 'read', errors: 'mlflow', summary: 'Get', response: z.object({ at: z.date() }), handle }),
]
const document = z
  .looseObject({ openapi: z.string(), paths: z.record(z.string(), z.record(z.string(), z.looseObject({}))) })
  .parse(openApiDocument({ title: 'Millrace', version: '1', description: '', paths: describePaths({ name: 'registry', routes }) }))

test('every route but the internal ones is described, in the order of paths', () => {
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toEqual(['/api/2.0/mlflow/get', '/api/v1/files/{path}', '/api/v1/models/{name}/rollout'])
})

test('parameters, body, rights and errors come from the route itself', () => {
  expect(document.paths['/api/v1/models/{name}/rollout']?.['put']).toMatchObject({
    operationId: 'registry.put_api_v1_models_name_rollout',
    description: "Needs the right 'promote' (promoter).",
    parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string', maxLength: 10 } }],
    requestBody: {
      content: { 'application/json': { schema: { properties: { weight: { type: 'integer' } }, required: ['weight'], additionalProperties: false } } },
    },
    responses: { default: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } } },
  })
  expect(document.paths['/api/v1/files/{path}']?.['get']).toMatchObject({
    security: [],
    parameters: [
      { name: 'path', in: 'path' },
      { name: 'size', in: 'query', required: true },
      { name: 'page', required: false },
    ],
  })
})

test('a schema that JSON Schema cannot express does not stop the document', () => {
  expect(document.paths['/api/2.0/mlflow/get']?.['get']).toMatchObject({ responses: { '2XX': { description: 'Success' } } })
})
