import { expect, test } from 'vitest'
import { z } from 'zod'
import { dialectOfPath } from './problem.ts'
import { type Method, ok, route } from './route.ts'
import { jsonOf, serveRoutes } from './serve-routes.fixture.ts'

const path = '/api/2.0/mlflow/runs/create'
const body = z.looseObject({
  name: z.string().max(5),
  count: z.int().optional(),
  metrics: z.array(z.looseObject({ timestamp: z.int() })).optional(),
  flag: z
    .string()
    .refine((value) => value === 'true', { error: (issue) => `Invalid boolean value: ${issue.input}, must be 'true' or 'false'.` })
    .optional(),
})
const echo = (method: Method) => route({ method, path, access: 'write', summary: 'Echo', errors: 'mlflow', body, handle: async (request) => ok(request.body) })
const tail = 'See the API docs for more information about request parameters.'
const answerOf = async (answer: Response) => ({ status: answer.status, ...(await jsonOf(answer)) })

test('unknown fields are ignored, and a JSON string that holds JSON is decoded twice', async () => {
  const app = await serveRoutes([echo('POST')])
  expect(await answerOf(await app.postJson(path, '{"name":"a","more":1}'))).toMatchObject({ status: 200, name: 'a' })
  expect(await answerOf(await app.postJson(path, JSON.stringify('{"name":"b"}')))).toMatchObject({ status: 200, name: 'b' })
})

test('DELETE carries a body, with or without a content type', async () => {
  const app = await serveRoutes([echo('DELETE')])
  expect(await answerOf(await app.send(path, { method: 'DELETE', body: '{"name":"a"}' }))).toMatchObject({ status: 200, name: 'a' })
})

test.each([
  ['a missing field', '{}', `Missing value for required parameter 'name'. ${tail}`],
  ['a nested missing field', '{"name":"a","metrics":[{}]}', `Missing value for required parameter 'metrics[0].timestamp'. ${tail}`],
  ['a wrong type', '{"name":123}', `Invalid value 123 for parameter 'name' supplied:  Hint: Value was of type 'int'. ${tail}`],
  ['a null', '{"name":null}', `Invalid value null for parameter 'name' supplied:  Hint: Value was of type 'NoneType'. ${tail}`],
  ['a list', '[1]', `Invalid request: expected a JSON object with named parameters, got a value of type 'list'. ${tail}`],
  ['a text that is too long', '{"name":"abcdef"}', "'name' exceeds the maximum length of 5 characters"],
  ['a message of the schema', '{"name":"a","flag":"X"}', "Invalid boolean value: X, must be 'true' or 'false'."],
])('%s answers the text that clients match', async (_what, sent, message) => {
  const app = await serveRoutes([echo('POST')])
  expect(await answerOf(await app.postJson(path, sent))).toEqual({ status: 400, error_code: 'INVALID_PARAMETER_VALUE', message })
})

test('POST without a content type, or with another one, is refused with the texts of the protocol', async () => {
  const app = await serveRoutes([echo('POST')])
  const bytes = new TextEncoder().encode('{"name":"a"}')
  expect(await answerOf(await app.send(path, { method: 'POST', body: bytes }))).toMatchObject({
    status: 400,
    message: 'Bad Request. Content-Type header is missing.',
  })
  const form = { 'content-type': 'text/plain' }
  expect(await answerOf(await app.postJson(path, '{}', form))).toMatchObject({
    status: 400,
    message: "Bad Request. Content-Type must be one of ['application/json'].",
  })
  expect((await app.postJson(path, '{"name":"a"}', { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200)
})

test('errors have exactly the two fields that the client reads', async () => {
  const app = await serveRoutes([echo('POST')])
  expect(Object.keys(await jsonOf(await app.postJson(path, '{')))).toEqual(['error_code', 'message'])
  expect((await fetch(app.url + path, { method: 'POST' })).status).toBe(401)
})

test.each([
  ['/api/2.0/mlflow/traces', 'mlflow'],
  ['/api/3.0/mlflow/scorers/list', 'mlflow'],
  ['/ajax-api/3.0/mlflow/gateway/endpoints', 'mlflow'],
  ['/graphql', 'mlflow'],
  ['/v1/traces', 'mlflow'],
  ['/gateway/chat/invocations', 'mlflow'],
  ['/v2/models/fish', 'oip'],
  ['/v1/tracesx', 'problem'],
  ['/api/v1/nothing', 'problem'],
])('what is not at %s is told in the words of %s', (unknown, dialect) => {
  expect(dialectOfPath(unknown)).toBe(dialect)
})
