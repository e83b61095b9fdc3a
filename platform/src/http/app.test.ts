import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { AppError, TransientError } from '../errors.ts'
import { bytes, created, noContent, ok, route } from './route.ts'
import { jsonOf, recordingLog, serveRoutes } from './serve-routes.fixture.ts'

const body = z.strictObject({ name: z.string(), size: z.int().min(1) })
const echo = route({ method: 'POST', path: '/api/v1/things', access: 'write', summary: 'Echo', body, handle: async (request) => created(request.body) })
const things = route({
  method: 'GET',
  path: '/api/v1/things/:id',
  access: 'read',
  summary: 'Get',
  params: z.object({ id: z.string() }),
  query: z.object({ order_by: z.union([z.string(), z.array(z.string())]).optional() }),
  handle: async ({ params, query, caller }) => ok({ params, query, caller }),
})
const fails = (path: string, error: unknown) =>
  route({ method: 'GET', path, access: 'public', summary: 'Fails', errors: path.startsWith('/v2') ? 'oip' : 'problem', handle: () => Promise.reject(error) })

test('a route gets parsed parameters, repeated query keys as an array, and the caller behind the gateway', async () => {
  const app = await serveRoutes([things])
  const answer = await app.send('/api/v1/things/a%20b?order_by=x&order_by=y', { role: 'viewer' })
  expect(await answer.json()).toEqual({ params: { id: 'a b' }, query: { order_by: ['x', 'y'] }, caller: { service: 'gateway', user: 'ana', role: 'viewer' } })
})

test('a wildcard arrives as one decoded string', async () => {
  const params = z.object({ path: z.string() })
  const app = await serveRoutes([
    route({ method: 'GET', path: '/files/*path', access: 'public', summary: 'File', params, handle: async (request) => ok(request.params) }),
  ])
  expect(await (await app.send('/files/a/b%20c/d%2Fe')).json()).toEqual({ path: 'a/b c/d/e' })
})

test('every answer carries the request id: the given one when it is fit for a log, else a new one', async () => {
  const app = await serveRoutes([things])
  expect((await app.send('/api/v1/things/1', { headers: { 'x-request-id': 'abc-1' } })).headers.get('x-request-id')).toBe('abc-1')
  const replaced = (await app.send('/nowhere', { headers: { 'x-request-id': 'a b\tc' } })).headers.get('x-request-id')
  expect(replaced).toMatch(/^[0-9a-f-]{36}$/)
})

test('answers carry security headers and do not name the framework', async () => {
  const { headers } = await (await serveRoutes([things])).send('/api/v1/things/1')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('x-powered-by')).toBeNull()
})

test('a body that does not match lists every problem by path', async () => {
  const app = await serveRoutes([echo])
  const answer = await app.postJson('/api/v1/things', '{"size":0,"extra":1}')
  expect(answer.status).toBe(400)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  const problem = await jsonOf(answer)
  expect(problem).toMatchObject({ status: 400, title: 'Bad Request', code: 'INVALID_PARAMETER_VALUE', type: 'urn:millrace:error:invalid-parameter-value' })
  expect(problem['errors']).toEqual([
    { path: 'name', message: 'is missing, expected string' },
    { path: 'size', message: 'Too small: expected number to be >=1, got 0' },
    { path: '', message: 'unknown field "extra"' },
  ])
})

test('no body counts as an empty object, so that the answer names what is missing', async () => {
  const app = await serveRoutes([echo])
  expect((await jsonOf(await app.send('/api/v1/things', { method: 'POST' })))['detail']).toBe(
    'Invalid body: name: is missing, expected string; size: is missing, expected number',
  )
})

test('an unknown path, a wrong method and an undecodable path are refused in the dialect of the path', async () => {
  const app = await serveRoutes([echo, things])
  expect(await (await app.send('/api/2.0/mlflow/nothing')).json()).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' })
  expect(await (await app.send('/v2/nothing')).json()).toEqual({ error: 'There is nothing at GET /v2/nothing.' })
  const wrong = await app.send('/api/v1/things', { method: 'DELETE' })
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
  const undecodable = await app.send('/api/v1/things/%E0%A4%A')
  expect([undecodable.status, (await jsonOf(undecodable))['code']]).toEqual([400, 'BAD_REQUEST'])
})

test('a bug answers 500 without its inside and is logged with it', async () => {
  const { log, lines } = recordingLog()
  const app = await serveRoutes([fails('/bug', new Error('password=hunter2'))], { log })
  const answer = await app.send('/bug')
  expect(answer.status).toBe(500)
  expect(await answer.text()).not.toMatch(/hunter2|app\.test/)
  expect(lines.filter((line) => line.level === 'error')).toMatchObject([{ fields: { route: '/bug', error: { message: 'password=hunter2' } } }])
})

test('where things are stored is told to the log and not to the caller', async () => {
  const { log, lines } = recordingLog()
  const full = new AppError('STORAGE_FULL', 'Cannot store in /srv/millrace/blobs: there is no space left on the disk')
  const answer = await (await serveRoutes([fails('/full', full)], { log })).send('/full')
  expect([answer.status, await answer.text()]).toEqual([507, expect.not.stringContaining('/srv')])
  expect(lines.filter((line) => line.level === 'error')).toMatchObject([{ fields: { error: { message: expect.stringContaining('/srv/millrace/blobs') } } }])
})

test('a transient fault answers 503 with Retry-After, a refusal answers as what it is', async () => {
  const refusal = new AppError('STALE_GENERATION', 'read it again', { details: { generation: 7 } })
  const app = await serveRoutes([fails('/flaky', new TransientError('store is down')), fails('/stale', refusal), fails('/v2/stale', refusal)])
  const flaky = await app.send('/flaky')
  expect([flaky.status, flaky.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await (await app.send('/stale')).json()).toMatchObject({ status: 409, code: 'STALE_GENERATION', detail: 'read it again', generation: 7 })
  expect(await (await app.send('/v2/stale')).json()).toEqual({ error: 'read it again' })
})

test('204 has no body, HEAD answers the head of GET', async () => {
  const remove = route({ method: 'DELETE', path: '/api/v1/things/:id', access: 'write', summary: 'Delete', handle: async () => noContent })
  const app = await serveRoutes([things, remove])
  expect((await app.send('/api/v1/things/1', { method: 'DELETE' })).status).toBe(204)
  const head = await app.send('/api/v1/things/1', { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect(Number(head.headers.get('content-length'))).toBeGreaterThan(10)
})

test('raw bodies stream in and answers stream out', async () => {
  const upload = route({
    method: 'PUT',
    path: '/raw',
    access: 'write',
    summary: 'Raw',
    rawBody: true,
    handle: async (request) => bytes(Readable.from([await text(request.stream)]), { 'content-type': 'text/plain' }),
  })
  const app = await serveRoutes([upload])
  const content = 'x'.repeat(3_000_000)
  const answer = await app.send('/raw', { method: 'PUT', body: content })
  expect(answer.headers.get('content-type')).toBe('text/plain')
  expect(await answer.text()).toBe(content)
})

test('requests are counted by route pattern, never by path', async () => {
  const app = await serveRoutes([things])
  await (await app.send('/api/v1/things/1')).text()
  await (await app.send('/secret/path')).text()
  const exposed = await (await app.send('/metrics')).text()
  expect(exposed).toContain('millrace_http_requests_total{method="GET",route="/api/v1/things/:id",status="200",service="registry"} 1')
  expect(exposed).toContain('route="unmatched",status="404"')
  expect(exposed).not.toContain('/secret')
})
