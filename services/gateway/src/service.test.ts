import { gatewayReady } from '@millrace/contracts/http/gateway.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { echoOf, jsonPost, problemOf, sendRaw } from './testing/requests.ts'
import { startGateway, startUpstream } from './testing/start-gateway.ts'

test('a call reaches its service with path, query and body, and with the gateway as the one who says who calls', async () => {
  const { send } = await startGateway()
  const plain = await send('/api/2.0/mlflow/runs/search?a=1&b=%2F', jsonPost({ x: 1 }, { 'x-request-id': 'my-request', cookie: 'a=b' }))
  const echo = await echoOf(plain)
  expect(echo).toMatchObject({ service: 'tracking', url: '/api/2.0/mlflow/runs/search?a=1&b=%2F', user: 'local-admin', role: 'admin', bytes: 7 })
  expect(echo.headers).toMatchObject({ 'x-request-id': 'my-request', 'content-type': 'application/json' })
  expect(echo.headers).not.toHaveProperty('cookie')
  expect(plain.headers.get('x-request-id')).toBe('my-request')
  expect(plain.headers.get('x-powered-by')).toBeNull()
  expect(plain.headers.get('content-security-policy')).toContain('sandbox')
})

test('a path under /ajax-api reaches the same service as under /api', async () => {
  const { send } = await startGateway()
  expect(await echoOf(await send('/ajax-api/2.0/mlflow/registered-models/search?x=1'))).toMatchObject({
    service: 'registry',
    url: '/api/2.0/mlflow/registered-models/search?x=1',
  })
})

test('an unknown path answers 404 in the dialect of its neighbours', async () => {
  const { send } = await startGateway()
  const unknown = await send('/api/v1/nothing')
  expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
  expect(await problemOf(unknown)).toMatchObject({ code: 'ENDPOINT_NOT_FOUND', detail: 'There is nothing at GET /api/v1/nothing.' })
  expect(await problemOf(await send('/api/2.0/mlflowx'))).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' })
  expect((await send('/API/v1/models')).status).toBe(404)
  expect((await send('/api/v1/keys', { method: 'PUT' })).status).toBe(405)
})

test.each([
  '/api/v1/models/../keys',
  '/api/v1/models/%2e%2e/x',
  '/api/v1/models/a%2f..%2f..',
  '/api/v1/models/%252e%252e/x',
  '/api/v1/models/%25252e%25252e',
  '/api/v1/models/..%5c',
  '/api/v1/models/%00',
  '/api/v1/models/%zz',
])('the path %s is refused before any service sees it', async (path) => {
  const { port } = await startGateway()
  const answer = await sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1.1 400/)
})

test('on artifact routes a strange path is passed on as it is, for tracking to judge', async () => {
  const { port } = await startGateway()
  const path = '/api/2.0/mlflow-artifacts/artifacts/%252e%252e/x'
  const answer = await sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)
  expect(answer).toContain(`"url":"${path}"`)
})

test.each([
  ['malformed JSON', '{"name": ', 400, /not valid JSON/],
  ['an unknown role', '{"name":"a","role":"king"}', 400, /role/],
  ['an unknown field', '{"name":"a","role":"user","root":true}', 400, /root/],
  ['a reserved name', '{"name":"gateway","role":"user"}', 400, /reserved/],
  ['a body that is too large', `{"name":"${'a'.repeat(20_000)}","role":"user"}`, 413, /larger than/],
])('creating a key with %s answers what is wrong', async (_, body, status, message) => {
  const { send } = await startGateway()
  const answer = await send('/api/v1/keys', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  expect(answer.status).toBe(status)
  expect((await problemOf(answer)).detail).toMatch(message)
  expect((await send('/health')).status).toBe(200)
})

test('an upload beyond the limit is refused by its announced length, without reaching a pod', async () => {
  let seen = 0
  const pod = await startUpstream((request, response) => {
    if (request.method === 'POST') seen += 1
    response.end()
  })
  const { send } = await startGateway({ upstreams: { inference: () => [pod] } })
  const answer = await send('/predict', { method: 'POST', body: new Uint8Array(20 * 1024 * 1024) })
  expect(answer.status).toBe(413)
  expect((await problemOf(answer)).detail).toBe('The body is larger than the 10485760 bytes allowed here: send less.')
  expect(seen).toBe(0)
  expect((await send('/health')).status).toBe(200)
})

test('an upload of unknown length is cut off at the limit', async () => {
  const { send, port } = await startGateway({ config: { GATEWAY_MAX_PREDICT_BYTES: 2048 } })
  const chunk = `400\r\n${'a'.repeat(1024)}\r\n`
  const head = `POST /predict HTTP/1.1\r\nHost: localhost:${port}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`
  expect(await sendRaw(port, `${head}${chunk.repeat(3)}0\r\n\r\n`)).toMatch(/^HTTP\/1.1 413/)
  expect(await sendRaw(port, `${head}${chunk.repeat(2)}0\r\n\r\n`)).toMatch(/^HTTP\/1.1 200/)
  expect((await send('/health')).status).toBe(200)
})

test.each(['/predict', '/api/v1/labels'])('a body that stops on its way to %s is given up on', async (path) => {
  const { port, send } = await startGateway({ config: { GATEWAY_PREDICT_TIMEOUT_MS: 100, GATEWAY_API_TIMEOUT_MS: 100 } })
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n`
  expect(await sendRaw(port, `${head}only this`)).toMatch(/^HTTP\/1.1 408/)
  expect((await send('/health')).status).toBe(200)
})

test('an artifact streams through in both directions, whatever its size', async () => {
  const size = 24 * 1024 * 1024
  const large = await startUpstream(async (request, response) => {
    let bytes = 0
    for await (const chunk of request) bytes += Buffer.from(chunk).length
    response.setHeader('x-received', String(bytes)).end(Buffer.alloc(size, 7))
  })
  const { send } = await startGateway({ upstreams: { tracking: () => [large] } })
  const answer = await send('/api/2.0/mlflow-artifacts/artifacts/model.onnx', { method: 'PUT', body: new Uint8Array(size) })
  expect([answer.status, answer.headers.get('x-received')]).toEqual([200, String(size)])
  expect((await answer.arrayBuffer()).byteLength).toBe(size)
})

test('an answer that breaks off is not made to look complete', async () => {
  const breaking = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('the beginning')
    setTimeout(() => response.destroy(), 20)
  })
  const { send } = await startGateway({ upstreams: { registry: () => [breaking] } })
  const answer = await send('/api/v1/models')
  await expect(answer.text()).rejects.toThrow()
})

test('headers beyond the limit are refused', async () => {
  const { port } = await startGateway()
  expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431/)
})

test('a service that is down answers 503 with Retry-After, in its dialect', async () => {
  const { send } = await startGateway({ upstreams: { tracking: () => ['http://127.0.0.1:1'], inference: () => [] } })
  const tracking = await send('/api/2.0/mlflow/experiments/search', jsonPost({}))
  expect([tracking.status, tracking.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await problemOf(tracking)).toMatchObject({ error_code: 'TEMPORARILY_UNAVAILABLE' })
  const inference = await send('/v2/models/fish/infer', jsonPost({ inputs: [] }))
  expect([inference.status, (await problemOf(inference)).error]).toEqual([503, 'The inference service is not running at the moment: try again.'])
})

test('a prediction that one pod cannot take is answered by another', async () => {
  const broken = await startUpstream((request) => request.socket.destroy())
  const shedding = await startUpstream((_request, response) => response.writeHead(503, { 'x-millrace-reason': 'queue_full' }).end())
  const healthy = await startUpstream((request, response) => void request.on('data', () => undefined).on('end', () => response.end('answered')))
  for (const first of ['http://127.0.0.1:1', broken, shedding]) {
    const { send } = await startGateway({ upstreams: { inference: () => [first, healthy] } })
    const answers = await Promise.all(Array.from({ length: 10 }, async () => (await send('/predict', { method: 'POST', body: 'picture' })).text()))
    expect(new Set(answers)).toEqual(new Set(['answered']))
  }
})

test('a write is never sent twice', async () => {
  let seen = 0
  const dying = await startUpstream((request) => {
    seen += 1
    request.socket.destroy()
  })
  const { send } = await startGateway({ upstreams: { trainer: () => [dying, dying.replace('127.0.0.1', 'localhost')] } })
  expect((await send('/api/v1/training/jobs/1/cancel', { method: 'POST' })).status).toBe(503)
  expect(seen).toBe(1)
})

test('a service that does not answer in time is given up on', async () => {
  const silent = await startUpstream(() => undefined)
  const { send } = await startGateway({ config: { GATEWAY_API_TIMEOUT_MS: 100 }, upstreams: { promoter: () => [silent] } })
  const answer = await send('/api/v1/promotions/decisions')
  expect([answer.status, (await problemOf(answer)).code]).toEqual([504, 'DEADLINE_EXCEEDED'])
})

test('a client that goes takes its call with it', async () => {
  const call = { arrived: false, gone: false }
  const slow = await startUpstream((_request, response) => {
    call.arrived = true
    response.once('close', () => {
      call.gone = true
    })
  })
  const { send } = await startGateway({ upstreams: { registry: () => [slow] } })
  const leave = new AbortController()
  const answer = send('/api/v1/models', { signal: leave.signal })
  const failure = expect(answer).rejects.toThrow()
  await until(() => call.arrived)
  leave.abort()
  await failure
  await until(() => call.gone)
})

test('/ready tells the parts, and is not ready while one is not', async () => {
  const ready = await startUpstream((_request, response) => response.end('{"ready":true}'))
  const all = {
    tracking: () => [ready],
    registry: () => [ready],
    trainer: () => [ready],
    promoter: () => [ready],
    'drift-monitor': () => [ready],
    inference: () => [ready],
  }
  const whole = await (await startGateway({ upstreams: all })).send('/ready')
  expect([whole.status, gatewayReady.parse(await whole.json()).ready]).toEqual([200, true])
  const partly = await (await startGateway({ upstreams: { ...all, inference: () => [] } })).send('/ready')
  expect([partly.status, gatewayReady.parse(await partly.json()).parts['inference']?.ready]).toEqual([503, false])
})

test('/health answers plain OK; the page and its parts are served under a strict policy', async () => {
  const { send } = await startGateway()
  expect(await (await send('/health')).text()).toBe('OK')
  const page = await send('/')
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
  expect(await page.text()).toContain('<title>Millrace</title>')
  const script = await send('/console.js')
  const again = await send('/console.js', { headers: { 'if-none-match': script.headers.get('etag') ?? '' } })
  expect([script.status, again.status]).toEqual([200, 304])
})
