import type { IncomingMessage, RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { AppError, TransientError } from '../errors.ts'
import { silentLog } from '../log.ts'
import { insideTransaction } from '../sql/sql.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { withRequestId } from '../telemetry/request-id.ts'
import { withTrace } from '../telemetry/tracing.ts'
import { bytes, ok, route } from './route.ts'
import { serveRoutes } from './serve-routes.fixture.ts'
import { startServer } from './server.ts'
import { createKeyRing } from './signed-identity.ts'
import { createServiceClient } from './undici-client.ts'

const ring = createKeyRing(['trainer', 'registry'])
const anything = z.unknown()

function clientOf(baseUrl: string, options: { identity?: ReturnType<typeof ring.identityOf>; timeoutMs?: number; maxAnswerBytes?: number } = {}) {
  const { identity = ring.identityOf('trainer'), ...rest } = options
  const client = createServiceClient({ baseUrl: () => baseUrl, audience: 'registry', identity, log: silentLog, metrics: createMetrics('trainer'), ...rest })
  onTestFinished(() => client.stop())
  return client.value
}

/** A sibling that answers with the listed answers, one per request, the last one for ever. */
async function sibling(...answers: RequestListener[]) {
  const seen: IncomingMessage[] = []
  const app: RequestListener = (request, response) => {
    seen.push(request)
    answers[Math.min(seen.length, answers.length) - 1]?.(request, response)
  }
  const server = await startServer({ host: '127.0.0.1', port: 0, app, drainMs: 100 })
  onTestFinished(() => server.stop())
  return { url: server.value.url, seen }
}
const answering =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    request.resume()
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
const refusing: RequestListener = (request) => request.destroy()

test('a call to a Millrace service carries a token it accepts, the body, and gives the parsed answer', async () => {
  const body = z.strictObject({ name: z.string() })
  const create = route({
    method: 'POST',
    path: '/things',
    access: 'internal',
    summary: 'Create',
    body,
    handle: async (request) => ok({ ...body.parse(request.body), by: request.caller.user }),
  })
  const app = await serveRoutes([create])
  const client = clientOf(app.url, { identity: app.ring.identityOf('trainer') })
  const response = z.object({ name: z.string(), by: z.string() })
  expect(await client.call({ method: 'POST', path: '/things', body: { name: 'pike' }, response })).toEqual({ name: 'pike', by: 'trainer' })
})

test('request id, trace and the time that is left travel along', async () => {
  const { url, seen } = await sibling(answering(200, {}))
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true }
  await withRequestId('r-1', () => withTrace(parent, () => clientOf(url).call({ method: 'GET', path: '/', response: anything, timeoutMs: 5000 })))
  expect(seen[0]?.headers).toMatchObject({ 'x-request-id': 'r-1', traceparent: expect.stringMatching(/^00-a{32}-[0-9a-f]{16}-01$/) })
  expect(Number(seen[0]?.headers['x-request-timeout-ms'])).toBeGreaterThan(0)
})

test.each([
  ['mlflow', 404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no such run' }, 'RESOURCE_DOES_NOT_EXIST', 'no such run'],
  ['problem', 409, { code: 'STALE_GENERATION', detail: 'read it again', status: 409 }, 'STALE_GENERATION', 'read it again'],
  ['oip', 400, { error: 'wrong shape' }, 'BAD_REQUEST', 'wrong shape'],
  ['unknown code', 409, { error_code: 'ABORTED', message: 'busy' }, 'RESOURCE_CONFLICT', 'busy'],
  ['no JSON', 403, '<html>', 'PERMISSION_DENIED', 'registry answered 403'],
])('a refusal in the %s dialect comes back as what it was, and is not retried', async (_dialect, status, body, code, message) => {
  const { url, seen } = await sibling(answering(status, body))
  const refused = clientOf(url).call({ method: 'GET', path: '/x', response: anything })
  await expect(refused).rejects.toMatchObject({ name: 'AppError', code, message })
  expect(seen).toHaveLength(1)
})

test.each(['GET', 'PUT', 'DELETE'] as const)('%s is retried over a 503 and a broken connection', async (method) => {
  const { url, seen } = await sibling(answering(503, {}), refusing, answering(200, { fine: true }))
  expect(await clientOf(url).call({ method, path: '/', response: anything })).toEqual({ fine: true })
  expect(seen).toHaveLength(3)
})

test('POST is retried only with an idempotency key', async () => {
  const once = await sibling(answering(503, {}), answering(200, {}))
  await expect(clientOf(once.url).call({ method: 'POST', path: '/', body: {}, response: anything })).rejects.toThrow(TransientError)
  expect(once.seen).toHaveLength(1)
  const twice = await sibling(answering(503, {}), answering(200, {}))
  await clientOf(twice.url).call({ method: 'POST', path: '/', body: {}, headers: { 'idempotency-key': 'k' }, response: anything })
  expect(twice.seen).toHaveLength(2)
})

test('after three retries the fault is the caller’s, as transient', async () => {
  const { url, seen } = await sibling(answering(500, { message: 'bug' }))
  await expect(clientOf(url).call({ method: 'GET', path: '/', response: anything })).rejects.toThrow('registry answered 500: bug')
  expect(seen).toHaveLength(4)
})

test('a sibling that keeps failing is left alone for a moment', async () => {
  const { url, seen } = await sibling(answering(503, {}))
  const client = clientOf(url)
  const post = () => client.call({ method: 'POST', path: '/', response: anything })
  for (let call = 0; call < 10; call++) await expect(post()).rejects.toThrow(TransientError)
  await expect(post()).rejects.toThrow(/10 times in a row/)
  expect(seen).toHaveLength(10)
})

test('no answer in time is transient; a caller who gave up gets its own reason', async () => {
  const { url } = await sibling(() => undefined)
  await expect(clientOf(url).call({ method: 'GET', path: '/', response: anything, timeoutMs: 50 })).rejects.toThrow(TransientError)
  const reason = new AppError('CANCELLED', 'enough')
  await expect(clientOf(url).call({ method: 'GET', path: '/', response: anything, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test('inside a transaction every call is refused', async () => {
  const client = clientOf('http://127.0.0.1:1')
  await expect(insideTransaction(() => client.call({ method: 'GET', path: '/', response: anything }))).rejects.toThrow(/inside a transaction/)
  await expect(insideTransaction(() => client.download('/'))).rejects.toThrow(/inside a transaction/)
})

test('an answer in another shape than agreed is an error that says where', async () => {
  const { url } = await sibling(answering(200, { version: 1 }))
  const response = z.object({ version: z.string() })
  await expect(clientOf(url).call({ method: 'GET', path: '/v', response })).rejects.toThrow(
    'GET /v at registry answered in a shape that was not agreed: version: expected string, got 1',
  )
})

test('an answer that is too large or not JSON is refused, an empty one is undefined', async () => {
  const large = await sibling(answering(200, JSON.stringify('x'.repeat(2000))))
  await expect(clientOf(large.url, { maxAnswerBytes: 1000 }).call({ method: 'POST', path: '/', response: anything })).rejects.toThrow(/more than 1000 bytes/)
  const page = await sibling(answering(200, '<html>'))
  await expect(clientOf(page.url).call({ method: 'POST', path: '/', response: anything })).rejects.toThrow(/not JSON/)
  const empty = await sibling(answering(204, ''))
  expect(await clientOf(empty.url).call({ method: 'DELETE', path: '/', response: z.undefined() })).toBeUndefined()
})

test('bodies stream both ways, and a stream is never sent twice', async () => {
  const size = 3_000_000
  const store = route({
    method: 'PUT',
    path: '/blob',
    access: 'write',
    summary: 'Put',
    rawBody: true,
    handle: async (request) => ok({ size: (await buffer(request.stream)).length }),
  })
  const load = route({ method: 'GET', path: '/blob', access: 'read', summary: 'Get', handle: async () => bytes(Readable.from([Buffer.alloc(size)]), {}) })
  const app = await serveRoutes([store, load])
  const client = clientOf(app.url, { identity: app.ring.identityOf('trainer') })
  const upload = { method: 'PUT', path: '/blob', stream: Readable.from([Buffer.alloc(size)]), response: z.object({ size: z.number() }) } as const
  expect(await client.call(upload)).toEqual({ size })
  expect(await buffer(await client.download('/blob'))).toHaveLength(size)
  const { url, seen } = await sibling(answering(503, {}))
  await expect(clientOf(url).call({ ...upload, stream: Readable.from(['x']) })).rejects.toThrow(TransientError)
  expect(seen).toHaveLength(1)
})

test('a download is refused and retried like a call', async () => {
  const missing = await sibling(answering(404, { code: 'RESOURCE_DOES_NOT_EXIST', detail: 'gone' }))
  await expect(clientOf(missing.url).download('/a')).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
  const flaky = await sibling(answering(502, ''), answering(200, 'content'))
  expect(await text(await clientOf(flaky.url).download('/a'))).toBe('content')
})
