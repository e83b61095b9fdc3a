import { createHmac, generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { type Caller, mayAccess } from './identity.ts'
import { createIdentity, createKeyRing } from './signed-identity.ts'

const services = ['gateway', 'registry', 'trainer']
const ana = { user: 'ana', role: 'editor' } as const
const start = Date.parse('2026-03-01T10:00:00Z')
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const keys = new Map(services.map((service) => [service, generateKeyPairSync('ed25519')]))
const publicJwks = Object.fromEntries([...keys].map(([service, pair]) => [service, pair.publicKey.export({ format: 'jwk' })]))

function keyOf(service: string) {
  const pair = keys.get(service)
  if (!pair) throw new Error(`no key for ${service}`)
  return pair.privateKey
}
const identityOf = (service: string, now = start) =>
  createIdentity({ service, privateKeyJwk: keyOf(service).export({ format: 'jwk' }), publicJwks, clock: () => new Date(now) })

interface Claims {
  iss?: string
  sub?: string
  aud?: string
  role?: string
  iat?: number
  exp?: number
}
function forge(claims: Claims, header: { kid?: string; key?: string } = {}): Promise<string> {
  const full = { iss: 'trainer', sub: 'trainer', aud: 'registry', role: 'promoter', iat: start / 1000, exp: start / 1000 + 60, ...claims }
  return new SignJWT(full).setProtectedHeader({ alg: 'EdDSA', kid: header.kid ?? full.iss }).sign(keyOf(header.key ?? full.iss))
}

test('a service proves itself and acts as a promoter; the gateway speaks for a user', async () => {
  const registry = identityOf('registry')
  expect(await registry.verify(await identityOf('trainer').sign('registry'))).toEqual({ service: 'trainer', user: 'trainer', role: 'promoter' })
  expect(await registry.verify(await identityOf('gateway').sign('registry', ana))).toEqual({ service: 'gateway', user: 'ana', role: 'editor' })
})

test('services in one process share a key ring that is fresh at every start', async () => {
  const first = createKeyRing(services)
  const token = await first.identityOf('trainer').sign('registry')
  expect(await first.identityOf('registry').verify(token)).toMatchObject({ service: 'trainer' })
  await expect(createKeyRing(services).identityOf('registry').verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  expect(() => first.identityOf('stranger')).toThrow(/no key for stranger/)
})

test.each([
  ['expired', () => forge({ iat: start / 1000 - 90, exp: start / 1000 - 30 }), /expired/],
  ['for another audience', () => identityOf('trainer').sign('tracking'), /another service/],
  ['by an unknown service', () => forge({ iss: 'gateway' }, { kid: 'stranger' }), /no service that is known/],
  ['signed by another service than it names', () => forge({ iss: 'gateway', sub: 'ana' }, { key: 'trainer' }), /signature/],
  ['with a key id that is not its issuer', () => forge({ iss: 'gateway', sub: 'ana' }, { kid: 'trainer', key: 'trainer' }), /claim iss/],
  ['with a user from a service that is not the gateway', () => forge({ sub: 'ana', role: 'admin' }), /may not speak for a user/],
  ['with an unknown role', () => forge({ iss: 'gateway', sub: 'ana', role: 'root' }), /role/],
  ['without an end', () => forge({ exp: undefined as never }), /exp/],
  ['that lives longer than tokens do', () => forge({ iat: start / 1000 - 3600, exp: start / 1000 + 3600 }), /expired|iat/],
  ['that is not a token', async () => 'mlr_abc', /form/],
  ['with the algorithm none', async () => `${encode({ alg: 'none', kid: 'trainer' })}.${encode({ iss: 'trainer', sub: 'trainer', aud: 'registry' })}.`, /form/],
])('a token %s is refused', async (_what, make, reason) => {
  const refused = identityOf('registry').verify(await make())
  await expect(refused).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringMatching(reason) })
})

test('a public key used as an HMAC secret is refused', async () => {
  const head = `${encode({ alg: 'HS256', kid: 'trainer' })}.${encode({ iss: 'trainer', sub: 'trainer', aud: 'registry', role: 'admin', iat: start / 1000, exp: start / 1000 + 60 })}`
  const mac = createHmac('sha256', String(publicJwks['trainer']?.x)).update(head).digest('base64url')
  await expect(identityOf('registry').verify(`${head}.${mac}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('only the gateway signs for users, and never for one with the name of a service', async () => {
  await expect(identityOf('trainer').sign('registry', ana)).rejects.toThrow(/only the gateway/)
  await expect(identityOf('gateway').sign('registry', { user: 'gateway', role: 'viewer' })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
})

test('a verified token is refused again once it has expired, cached or not', async () => {
  let now = start
  const registry = createIdentity({ service: 'registry', privateKeyJwk: keyOf('registry').export({ format: 'jwk' }), publicJwks, clock: () => new Date(now) })
  const token = await identityOf('trainer').sign('registry')
  await registry.verify(token)
  now += 66_000
  await expect(registry.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('a signed token is reused for half its life', async () => {
  let now = start
  const trainer = createIdentity({ service: 'trainer', privateKeyJwk: keyOf('trainer').export({ format: 'jwk' }), publicJwks, clock: () => new Date(now) })
  const token = await trainer.sign('registry')
  now += 29_000
  expect(await trainer.sign('registry')).toBe(token)
  now += 2000
  expect(await trainer.sign('registry')).not.toBe(token)
})

test('each role has the rights of those below it, and internal routes are for services alone', () => {
  const user: Caller = { service: 'gateway', user: 'ana', role: 'editor' }
  expect([mayAccess(user, 'write'), mayAccess(user, 'promote'), mayAccess(user, 'internal')]).toEqual([true, false, false])
  expect(mayAccess({ service: 'trainer', user: 'trainer', role: 'promoter' }, 'internal')).toBe(true)
  expect([mayAccess(null, 'read'), mayAccess(null, 'public')]).toEqual([false, true])
})
