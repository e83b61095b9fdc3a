import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { until } from '../testing/until.ts'
import { bytes, ok, route } from './route.ts'
import { jsonOf, recordingLog, serveRoutes } from './serve-routes.fixture.ts'

const open = route({ method: 'POST', path: '/open', access: 'public', summary: 'Echo', body: z.looseObject({}), handle: async (request) => ok(request.body) })
const raw = route({
  method: 'PUT',
  path: '/raw',
  access: 'public',
  summary: 'Raw',
  rawBody: true,
  handle: async (request) => ok({ size: (await buffer(request.stream)).length }),
})

/** Sends bytes as they are and gives the whole answer, once the server has closed the connection. */
async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write(text)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

test.each([
  ['a depth bomb', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 400, /nested more than 64 levels/],
  ['a depth bomb of objects', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 400, /nested more than 64 levels/],
  ['2 MiB of JSON', JSON.stringify({ a: 'x'.repeat(2_097_152) }), 413, /larger than the 1048576 bytes/],
  ['a __proto__ key', '{"a":{"__proto__":{"admin":true}}}', 400, /__proto__/],
  ['an escaped __proto__ key', '{"\\u005f_proto__":1}', 400, /__proto__/],
  ['too many keys', `{${Array.from({ length: 100_001 }, (_, i) => `"${i.toString(36)}":0`).join(',')}}`, 400, /more than 100000 keys/],
  ['malformed JSON', '{"a":1,\n"b":}', 400, /position 12 \(line 2, column 5\)/],
  ['an integer beyond 2^53', '{"a":9007199254740993}', 400, /integer beyond .* at position 5 /],
  ['an array where an object is due', '[1]', 400, /expected object, got \[1\]/],
])('%s is refused', async (_what, sent, status, message) => {
  const app = await serveRoutes([open])
  const answer = await app.postJson('/open', sent)
  expect([answer.status, (await jsonOf(answer))['detail']]).toEqual([status, expect.stringMatching(message)])
  expect((await app.postJson('/open', '{"a":1.5e300}')).status).toBe(200)
})

test('bytes that are not UTF-8 are refused', async () => {
  const app = await serveRoutes([open])
  const answer = await app.send('/open', { method: 'POST', body: new Uint8Array([0x22, 0xff, 0x22]), headers: { 'content-type': 'application/json' } })
  expect([answer.status, (await jsonOf(answer))['detail']]).toEqual([400, 'The body is not valid UTF-8.'])
})

test('another content type or a compressed body answers 415', async () => {
  const app = await serveRoutes([open, raw])
  expect((await app.postJson('/open', 'a=1', { 'content-type': 'text/plain' })).status).toBe(415)
  expect((await app.postJson('/open', '{}', { 'content-encoding': 'gzip' })).status).toBe(415)
  expect((await app.send('/raw', { method: 'PUT', body: 'x', headers: { 'content-encoding': 'br' } })).status).toBe(415)
})

test('a body larger than allowed is refused before it has all arrived', async () => {
  const app = await serveRoutes([open])
  const head = 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
  const answer = await sendRaw(app.port, `${head}200000\r\n${'x'.repeat(0x200000)}`)
  expect(answer).toMatch(/^HTTP\/1.1 413 /)
})

test('an announced length beyond the limit is refused before any of it arrives', async () => {
  const app = await serveRoutes([open], { requestTimeoutMs: 300 })
  const answer = await sendRaw(app.port, 'POST /open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1.1 413 /)
})

test('a body that stands still answers 408 and frees the connection', async () => {
  const app = await serveRoutes([open, raw], { requestTimeoutMs: 100 })
  const head = 'Host: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{'
  expect(await sendRaw(app.port, `POST /open HTTP/1.1\r\n${head}`)).toMatch(/^HTTP\/1.1 408 /)
  expect(await sendRaw(app.port, `PUT /raw HTTP/1.1\r\n${head}`)).toMatch(/^HTTP\/1.1 408 /)
})

test.each([
  ['two Authorization headers', 'Content-Length: 0\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n'],
  ['two Content-Types', 'Content-Length: 0\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\n'],
  ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n'],
  ['length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'],
])('%s are refused', async (_what, headers) => {
  const app = await serveRoutes([open])
  expect(await sendRaw(app.port, `POST /open HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`)).toMatch(/^HTTP\/1.1 400 /)
})

test('what is not HTTP answers 400, headers beyond 16 KiB 431, and the next request is served', async () => {
  const app = await serveRoutes([open])
  expect(await sendRaw(app.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
  expect(await sendRaw(app.port, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /)
  expect((await app.send('/health')).status).toBe(200)
})

test('a query with __proto__ or with thousands of keys is refused', async () => {
  const list = route({
    method: 'GET',
    path: '/list',
    access: 'public',
    summary: 'List',
    query: z.looseObject({}),
    handle: async (request) => ok(request.query),
  })
  const app = await serveRoutes([list])
  expect((await app.send('/list?__proto__=1')).status).toBe(400)
  expect((await app.send(`/list?${'a&'.repeat(1001)}`)).status).toBe(400)
  expect(await (await app.send('/list?constructor=1&toString=2&toString=3')).json()).toEqual({ constructor: '1', toString: ['2', '3'] })
})

test('a client that goes mid-answer destroys the stream and aborts the signal', async () => {
  let aborted = false
  const source = new Readable({ read: () => source.push(Buffer.alloc(65_536)) })
  const endless = route({
    method: 'GET',
    path: '/endless',
    access: 'public',
    summary: 'Endless',
    handle: async ({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      return bytes(source, { 'content-type': 'application/octet-stream' })
    },
  })
  const app = await serveRoutes([endless])
  const controller = new AbortController()
  const answer = await app.send('/endless', { signal: controller.signal })
  await answer.body?.getReader().read()
  controller.abort()
  await until(() => aborted && source.destroyed)
})

test('a stream that fails mid-answer cuts the connection, because half an answer must not look whole, and is logged', async () => {
  const { log, lines } = recordingLog()
  const half = async function* () {
    yield Buffer.alloc(100_000)
    throw new Error('disk gone')
  }
  const app = await serveRoutes(
    [route({ method: 'GET', path: '/half', access: 'public', summary: 'Half', handle: async () => bytes(Readable.from(half()), {}) })],
    { log },
  )
  const answer = await app
    .send('/half')
    .then((response) => response.arrayBuffer())
    .then(
      () => 'whole',
      () => 'cut',
    )
  expect(answer).toBe('cut')
  expect(lines.filter((line) => line.level === 'error')).toMatchObject([{ fields: { error: { message: 'disk gone' } } }])
})

test('a caller that announced how long it waits gets 504 when that time is over', async () => {
  const never = route({ method: 'GET', path: '/never', access: 'public', summary: 'Never', handle: () => new Promise(() => undefined) })
  const app = await serveRoutes([never])
  const answer = await app.send('/never', { headers: { 'x-request-timeout-ms': '50' } })
  expect([answer.status, (await jsonOf(answer))['code']]).toEqual([504, 'DEADLINE_EXCEEDED'])
})
