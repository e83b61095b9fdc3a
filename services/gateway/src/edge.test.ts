import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { apiKeyCreated, auditEntries } from '@millrace/contracts/http/gateway.ts'
import { createAuthority, type SelfSigned } from '@millrace/platform/testing/self-signed.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { gatewayConfig } from './config.ts'
import { openPublicTls } from './public-tls.ts'
import { jsonPost, problemOf, sendRaw } from './testing/requests.ts'
import { startGateway, startUpstream } from './testing/start-gateway.ts'

const ORIGIN = 'https://app.example'

test('without settings no page of another origin is told that it may call', async () => {
  const { send } = await startGateway()
  const answer = await send('/api/v1/models', { headers: { origin: ORIGIN } })
  expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  expect((await send('/api/v1/models', { method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'POST' } })).status).not.toBe(204)
})

test('a page of a named origin may ask first, and call with a key; without one it is not the local administrator', async () => {
  const { send } = await startGateway({ config: { GATEWAY_CORS_ORIGINS: [ORIGIN] } })
  const { key } = apiKeyCreated.parse(await (await send('/api/v1/keys', jsonPost({ name: 'app', role: 'user' }))).json())
  const preflight = await send('/predict', {
    method: 'OPTIONS',
    headers: { origin: ORIGIN, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' },
  })
  expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, 'x-api-key'])
  const answer = await send('/predict', { method: 'POST', headers: { origin: ORIGIN, 'x-api-key': key } })
  expect([answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]).toEqual([200, ORIGIN, 'Origin'])
  const refused = await send('/predict', { method: 'POST', headers: { origin: ORIGIN } })
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, ORIGIN])
  const other = await send('/predict', { method: 'POST', headers: { origin: 'https://evil.example', 'x-api-key': key } })
  expect([other.headers.get('access-control-allow-origin'), other.headers.get('vary')]).toEqual([null, 'Origin'])
})

test('called by a name that is not its own, the gateway refuses before it looks at anything else', async () => {
  const { port } = await startGateway({ config: { GATEWAY_PUBLIC_HOSTS: ['millrace.example', 'localhost'] } })
  const ask = (host: string): Promise<string> => sendRaw(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  expect(await ask('millrace.example')).toMatch(/^HTTP\/1.1 200/)
  expect(await ask('localhost:1234')).toMatch(/^HTTP\/1.1 200/)
  expect(await ask('evil.example')).toMatch(/^HTTP\/1.1 421/)
})

test.each(['Host: localhost', 'X-Api-Key: a', 'Authorization: Bearer a', 'Content-Type: text/plain', 'Origin: https://a.example'])(
  'a second "%s" is refused, however it is written',
  async (header) => {
    const { port } = await startGateway()
    const twice = `${header}\r\n${header.toUpperCase()}`
    const own = header.startsWith('Host') ? twice : `Host: localhost:${port}\r\n${twice}`
    expect(await sendRaw(port, `GET /api/v1/models HTTP/1.1\r\n${own}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 400/)
  },
)

test('quotas count by key and model, and say when to come back', async () => {
  const { GATEWAY_QUOTAS } = gatewayConfig.parse({
    GATEWAY_QUOTAS: '[{"key": "*", "model": "*", "limit": 2, "seconds": 60}, {"model": "whale", "limit": 1, "seconds": 60}]',
  })
  const { send } = await startGateway({ config: { GATEWAY_QUOTAS } })
  const keyOf = async (name: string): Promise<string> => apiKeyCreated.parse(await (await send('/api/v1/keys', jsonPost({ name, role: 'user' }))).json()).key
  const [ana, ben] = [await keyOf('ana'), await keyOf('ben')]
  const ask = (key: string, model: string): Promise<Response> => send(`/v2/models/${model}/infer`, jsonPost({}, { 'x-api-key': key }))
  expect([(await ask(ana, 'fish')).status, (await ask(ana, 'fish')).status]).toEqual([200, 200])
  const refused = await ask(ana, 'fish')
  expect([refused.status, (await problemOf(refused)).error]).toEqual([
    429,
    'More than 2 predictions of one model in 60 s: slow down, or ask an administrator for more.',
  ])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50)
  expect([(await ask(ben, 'fish')).status, (await ask(ana, 'carp')).status]).toEqual([200, 200])
  expect([(await ask(ana, 'whale')).status, (await ask(ben, 'whale')).status]).toEqual([200, 429])
  expect((await send('/v2/models/fish', { headers: { 'x-api-key': ana } })).status).toBe(200)
})

test('a quota of predictions in progress gives its place back when one ends', async () => {
  const gate = Promise.withResolvers<void>()
  let seen = 0
  const pod = await startUpstream(async (incoming, response) => {
    incoming.resume()
    if (incoming.method === 'POST') seen += 1
    await gate.promise
    response.end('done')
  })
  const { GATEWAY_QUOTAS } = gatewayConfig.parse({ GATEWAY_QUOTAS: '[{"key": "*", "inFlight": 1}]' })
  const { send } = await startGateway({ upstreams: { inference: () => [pod] }, config: { GATEWAY_QUOTAS } })
  const begun = send('/predict', { method: 'POST' })
  await until(() => seen === 1)
  expect((await send('/predict', { method: 'POST' })).status).toBe(429)
  gate.resolve()
  await (await begun).text()
  expect((await send('/predict', { method: 'POST' })).status).toBe(200)
})

test.each(['nonsense', '{}', '[{"limit": 0}]', '[{"key": "a"}]', '[{"limit": 1, "colour": "red"}]'])('quotas written as %s are refused', (text) => {
  expect(gatewayConfig.safeParse({ GATEWAY_QUOTAS: text }).success).toBe(false)
})

test('administrative calls are on record with who made them and what came of it; predictions and reads are not', async () => {
  const { send, database } = await startGateway()
  await send('/api/v1/keys', jsonPost({ name: 'ana', role: 'viewer' }, { 'x-request-id': 'made-a-key' }))
  await send('/api/v1/promotions/policies', { method: 'POST', headers: { 'x-api-key': 'mlr_wrong' } })
  await send('/predict', { method: 'POST' })
  await send('/api/v1/models')
  await until(async () => (await database.query('select 1 from audit_entry')).length >= 2)
  const page = auditEntries.parse(await (await send('/api/v1/calls?limit=1')).json())
  const rest = auditEntries.parse(await (await send(`/api/v1/calls?before=${page.next}`)).json())
  expect([...rest.entries, ...page.entries].map(({ user, method, path, status }) => [user, method, path, status])).toEqual([
    ['local-admin', 'POST', '/api/v1/keys', 201],
    ['', 'POST', '/api/v1/promotions/policies', 401],
  ])
  expect(rest.entries[0]?.requestId).toBe('made-a-key')
  expect((await send('/api/v1/calls?limit=0')).status).toBe(400)
  const [row] = await database.query<{ dump: string }>("select string_agg(audit_entry::text, ' ') as dump from audit_entry")
  expect(row?.dump).not.toContain('mlr_')
})

const authority = createAuthority()

async function filesOf(pair: SelfSigned) {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-tls-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const paths = { GATEWAY_TLS_CERT_PATH: join(directory, 'cert.pem'), GATEWAY_TLS_KEY_PATH: join(directory, 'key.pem') }
  const write = async ({ cert, key }: SelfSigned): Promise<void> => {
    await writeFile(paths.GATEWAY_TLS_KEY_PATH, key)
    await writeFile(paths.GATEWAY_TLS_CERT_PATH, cert)
  }
  await write(pair)
  return { paths, write }
}

/** The status and the certificate of one answer over a connection of its own. */
function askOverTls(url: string, path: string): Promise<{ status: number; serial: string; protocol: string | null; hsts: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof askOverTls>>>()
  const sent = request(`${url}${path}`, { ca: authority.ca, agent: false }, (response) => {
    // The cast is sound: an answer over https came over such a socket.
    const socket = response.socket as TLSSocket
    const { serialNumber } = socket.getPeerCertificate()
    const told = { serial: serialNumber, protocol: socket.getProtocol(), hsts: String(response.headers['strict-transport-security']) }
    response.resume().once('end', () => resolve({ status: response.statusCode ?? 0, ...told }))
  })
  sent.once('error', reject)
  sent.end()
  return promise
}

test('with a certificate the port takes TLS alone, and a renewed one is served without a restart; a broken one is not', async () => {
  const first = authority.issue(['127.0.0.1'])
  const { paths, write } = await filesOf(first)
  const { url, port } = await startGateway({ config: paths })
  expect(url).toMatch(/^https:/)
  const before = await askOverTls(url, '/')
  expect(before).toMatchObject({ status: 200, protocol: 'TLSv1.3', hsts: expect.stringContaining('max-age') })
  expect(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n').catch(() => '')).not.toContain('200')
  await write({ cert: 'nonsense', key: first.key })
  expect((await askOverTls(url, '/')).serial).toBe(before.serial)
  await write(authority.issue(['127.0.0.1']))
  await until(async () => (await askOverTls(url, '/')).serial !== before.serial, { everyMs: 100 })
})

test('a certificate without its key, or with another one, is refused at the start', async () => {
  const { paths } = await filesOf({ cert: authority.issue(['a']).cert, key: authority.issue(['b']).key })
  await expect(startGateway({ config: paths })).rejects.toThrow(/certificate of the public port/)
  const { GATEWAY_TLS_CERT_PATH } = paths
  await expect(startGateway({ config: { GATEWAY_TLS_CERT_PATH } })).rejects.toThrow(/GATEWAY_TLS_KEY_PATH is missing/)
  expect(openPublicTls({}, { debug() {}, info() {}, warn() {}, error() {}, child: () => expect.fail() })).toBeNull()
})

const openApi = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
  'x-missing-services': z.array(z.string()).optional(),
})

test('the document describes every part that answers, names those that do not, and refers to nothing that is not there', async () => {
  const paths = { '/api/v1/models': { get: { operationId: 'registry.models', tags: ['registry'], responses: {} } } }
  const registry = await startUpstream((incoming, response) => response.end(JSON.stringify({ paths: incoming.url === '/api-description' ? paths : {} })))
  const { send } = await startGateway({ upstreams: { registry: () => ['http://127.0.0.1:1', registry], trainer: () => [] } })
  const answer = await send('/api/v1/openapi.json')
  const text = await answer.text()
  const document = openApi.parse(JSON.parse(text))
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/api/v1/models', '/predict', '/v2/models/{model}/infer', '/invocations', '/v1/models/{model}:predict', '/api/v1/keys']),
  )
  expect(document['x-missing-services']).toContain('trainer')
  const schemas = z.looseObject({ components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }) }).parse(document).components.schemas
  for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) expect(Object.keys(schemas)).toContain(name)
  const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))
  expect(new Set(ids).size).toBe(ids.length)
})

test('the page shows the same without a script, and whatever a description says stays text', async () => {
  const evil = { '/x': { get: { operationId: 'x', tags: ['registry'], summary: '<script>alert(1)</script>', responses: {} } } }
  const registry = await startUpstream((_incoming, response) => response.end(JSON.stringify({ paths: evil })))
  const { send } = await startGateway({ upstreams: { registry: () => [registry] } })
  const page = await send('/api/v1/docs')
  const html = await page.text()
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(page.headers.get('content-security-policy')).not.toContain('script')
  expect(html).toContain('/v2/models/{model}/infer')
  expect(html).toContain('&lt;script&gt;')
  expect(html).not.toContain('<script')
})
