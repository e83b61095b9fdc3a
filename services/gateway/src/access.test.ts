import { apiKeyCreated, apiKeys } from '@millrace/contracts/http/gateway.ts'
import { createMemoryRateLimiter } from '@millrace/platform/cache/memory-rate-limiter.ts'
import type { RateLimiter, RateLimiters } from '@millrace/platform/cache/rate-limiter.ts'
import { expect, test } from 'vitest'
import { echoOf, jsonPost, sendRaw } from './testing/requests.ts'
import { startGateway } from './testing/start-gateway.ts'

const ADMIN_KEY = 'a-long-enough-administrators-key-0123456789'

test('a web page on another name or another origin is not the local administrator', async () => {
  const { url, send, port } = await startGateway()
  expect(await sendRaw(port, `GET /api/v1/models HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 421/)
  expect(await sendRaw(port, `GET /api/v1/models HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 421/)
  expect((await send('/predict', { method: 'POST', headers: { origin: 'https://evil.example' } })).status).toBe(403)
  expect((await send('/predict', { method: 'POST', headers: { origin: 'null' } })).status).toBe(403)
  expect((await send('/predict', { method: 'POST', headers: { origin: url } })).status).toBe(200)
  expect((await send('/predict', { method: 'POST', headers: { 'x-forwarded-for': '10.0.0.1' } })).status).toBe(401)
})

test('a key is shown once, works as Bearer, x-api-key and Basic password, and stops when it is revoked', async () => {
  const { send, database } = await startGateway()
  const created = apiKeyCreated.parse(await (await send('/api/v1/keys', jsonPost({ name: 'ana', role: 'editor' }))).json())
  expect(created.key).toMatch(/^mlr_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}$/)
  const basic = `Basic ${Buffer.from(`ana:${created.key}`).toString('base64')}`
  for (const headers of [{ authorization: `Bearer ${created.key}` }, { 'x-api-key': created.key }, { authorization: basic }]) {
    expect(await echoOf(await send('/api/v1/models', { headers }))).toMatchObject({ user: 'ana', role: 'editor' })
  }
  const listed = await (await send('/api/v1/keys')).text()
  expect(apiKeys.parse(JSON.parse(listed)).keys).toMatchObject([{ keyId: created.keyId, name: 'ana', role: 'editor' }])
  expect(listed).not.toContain(created.key)
  const [row] = await database.query<{ dump: string }>('select api_key::text as dump from api_key')
  expect(row?.dump).not.toContain(created.key.slice(-49))
  expect((await send(`/api/v1/keys/${created.keyId}`, { method: 'DELETE' })).status).toBe(204)
  expect((await send('/api/v1/models', { headers: { 'x-api-key': created.key } })).status).toBe(401)
  expect((await send(`/api/v1/keys/${created.keyId}`, { method: 'DELETE' })).status).toBe(404)
})

test('a role does not reach further than its rights', async () => {
  const { send } = await startGateway()
  const keyOf = async (role: string): Promise<Record<string, string>> => ({
    'x-api-key': apiKeyCreated.parse(await (await send('/api/v1/keys', jsonPost({ name: role, role }))).json()).key,
  })
  const viewer = await keyOf('viewer')
  const editor = await keyOf('editor')
  expect((await send('/v2/models/fish', { headers: viewer })).status).toBe(200)
  expect((await send('/predict', { method: 'POST', headers: viewer })).status).toBe(403)
  expect((await send('/predict', { method: 'POST', headers: await keyOf('user') })).status).toBe(200)
  expect((await send('/api/v1/keys', { headers: editor })).status).toBe(403)
  expect((await send('/api/v1/keys', jsonPost({ name: 'mallory', role: 'admin' }, editor))).status).toBe(403)
})

test('forged, mistyped and foreign credentials are refused, also on loopback', async () => {
  const { send } = await startGateway()
  const { key } = apiKeyCreated.parse(await (await send('/api/v1/keys', jsonPost({ name: 'ana', role: 'viewer' }))).json())
  const forged = [`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`, 'mlr_', 'eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.', 'x'.repeat(5000)]
  for (const credential of forged) {
    const answer = await send('/api/v1/models', { headers: { authorization: `Bearer ${credential}` } })
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="millrace"'])
  }
  expect((await send('/api/v1/models', { headers: { authorization: 'Digest abc' } })).status).toBe(401)
})

test('bound to an address that others reach, nobody comes in without a key', async () => {
  const { send } = await startGateway({ config: { HOST: '0.0.0.0', MILLRACE_ADMIN_KEY: ADMIN_KEY } })
  expect((await send('/api/v1/models')).status).toBe(401)
  expect((await send('/metrics')).status).toBe(401)
  expect((await send('/health')).status).toBe(200)
  expect(await echoOf(await send('/version'))).toMatchObject({ user: 'anonymous', role: 'viewer' })
  expect(await echoOf(await send('/api/v1/models', { headers: { authorization: `Bearer ${ADMIN_KEY}` } }))).toMatchObject({ user: 'admin-key', role: 'admin' })
})

test('an address that others reach is refused while there is no key at all', async () => {
  await expect(startGateway({ config: { HOST: '0.0.0.0' } })).rejects.toThrow(/does not listen on 0\.0\.0\.0 without authentication.*MILLRACE_ADMIN_KEY/)
})

test('more requests than the limit of the caller are refused with Retry-After', async () => {
  const { send } = await startGateway({ config: { GATEWAY_RATE_LIMIT: 5 } })
  const answers = await Promise.all(Array.from({ length: 20 }, () => send('/api/v1/models')))
  const refused = answers.filter((answer) => answer.status === 429)
  expect(refused.length).toBeGreaterThanOrEqual(10)
  expect(refused[0]?.headers.get('retry-after')).toBe('1')
})

test('gateways that share their limiters share the limit of failed attempts', async () => {
  const opened = new Map<string, RateLimiter>()
  const rateLimiters: RateLimiters = (rule) => {
    const limiter = opened.get(rule.name) ?? createMemoryRateLimiter(rule)
    opened.set(rule.name, limiter)
    return limiter
  }
  const [one, other] = [await startGateway({ rateLimiters }), await startGateway({ rateLimiters })]
  const tryKey = { headers: { authorization: 'Bearer wrong' } }
  for (let attempt = 0; attempt < 30; attempt += 1) expect((await one.send('/api/v1/models', tryKey)).status).toBe(401)
  expect((await other.send('/api/v1/models', tryKey)).status).toBe(429)
})
