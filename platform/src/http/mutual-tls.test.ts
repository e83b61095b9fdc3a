import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { silentLog } from '../log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { createAuthority } from '../testing/self-signed.ts'
import { createApp } from './app.ts'
import { ok, route } from './route.ts'
import { startServer } from './server.ts'
import type { ServiceTls } from './service-tls.ts'
import { createKeyRing } from './signed-identity.ts'
import { createServiceClient } from './undici-client.ts'

const authority = createAuthority()
/** Goes by the same name. */
const stranger = createAuthority()
const ring = createKeyRing(['trainer', 'registry'])
const answer = z.object({ by: z.string() })
const tlsOf = (from = authority, ca = authority.ca, names = ['127.0.0.1']): ServiceTls => ({ ...from.issue(names), ca })

/** A service behind mutual TLS that says who called it. */
async function startRegistry(tls = tlsOf()) {
  const whoami = route({ method: 'GET', path: '/me', access: 'internal', summary: 'Who calls', handle: async ({ caller }) => ok({ by: caller.user }) })
  const service = { name: 'registry', routes: [whoami], consumers: [], jobs: [], readiness: async () => ({ ready: true, detail: {} }) }
  const parts = { identity: ring.identityOf('registry'), log: silentLog, metrics: createMetrics('registry'), draining: new AbortController().signal }
  const app = createApp({ service, ...parts, requestTimeoutMs: 5000 })
  const server = await startServer({ host: '127.0.0.1', port: 0, app, tls, drainMs: 100 })
  onTestFinished(() => server.stop())
  return server.value
}

function ask(url: string, tls: ServiceTls | null, identity = ring.identityOf('trainer')) {
  const options = { audience: 'registry', identity, log: silentLog, metrics: createMetrics('trainer') }
  const client = createServiceClient({ ...options, baseUrl: () => url, tls, timeoutMs: 1500 })
  onTestFinished(() => client.stop())
  return client.value.call({ method: 'GET', path: '/me', response: answer })
}

test('a service of the same authority is heard, and again after that', async () => {
  const { url } = await startRegistry()
  expect(url).toMatch(/^https:/)
  const own = tlsOf()
  expect(await ask(url, own)).toEqual({ by: 'trainer' })
  expect(await ask(url, own)).toEqual({ by: 'trainer' })
})

test('a certificate does not stand for a token', async () => {
  const { url } = await startRegistry()
  const forger = createKeyRing(['trainer', 'registry']).identityOf('trainer')
  await expect(ask(url, tlsOf(), forger)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('no certificate is refused, whatever token comes along', async () => {
  const { url } = await startRegistry()
  await expect(ask(url, { cert: '', key: '', ca: authority.ca })).rejects.toThrow(/certificate required|socket|ECONNRESET|closed/i)
})

test('a certificate of another authority is refused, whatever that calls itself', async () => {
  const { url } = await startRegistry()
  await expect(ask(url, tlsOf(stranger))).rejects.toThrow(/unknown ca|alert|socket|ECONNRESET|closed/i)
})

test('a server of another authority, or under another name, is sent nothing', async () => {
  const other = await startRegistry(tlsOf(stranger))
  await expect(ask(other.url, tlsOf())).rejects.toThrow(/certificate|issuer|signature/i)
  const elsewhere = await startRegistry(tlsOf(authority, authority.ca, ['registry.example']))
  await expect(ask(elsewhere.url, tlsOf())).rejects.toThrow(/IP|altnames/i)
})

test('plain HTTP gets no answer on a TLS port, and the port goes on', async () => {
  const { url, port } = await startRegistry()
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  socket.write('GET /me HTTP/1.1\r\nHost: x\r\n\r\n')
  expect(await text(socket).catch(() => '')).not.toMatch(/^HTTP/)
  expect(await ask(url, tlsOf())).toEqual({ by: 'trainer' })
})
