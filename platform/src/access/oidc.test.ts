import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { startOidcIssuer } from '../testing/oidc-issuer.ts'
import { until } from '../testing/until.ts'
import { createOidc, type OidcOptions } from './oidc.ts'

async function start(options: Partial<OidcOptions> = {}) {
  const { value: issuer, stop } = await startOidcIssuer()
  onTestFinished(stop)
  const claims = { userClaim: 'sub', groupsClaim: 'groups', roleClaim: 'role' }
  const rules = { audience: 'millrace', algorithms: ['RS256'], clockSkewSeconds: 30, roleOf: new Map(), defaultRole: 'viewer' } as const
  return { issuer, stop, oidc: createOidc({ issuer: issuer.issuer, clock: systemClock, ...claims, ...rules, ...options }) }
}

test('the issuer is asked for its keys once, and again when it signs with a new one, but not for every key that somebody makes up', async () => {
  const { issuer, oidc } = await start({ cooldownMs: 200 })
  for (let at = 0; at < 20; at += 1) expect(await oidc.verify(await issuer.sign({ sub: `user-${at}` }))).toMatchObject({ user: `user-${at}` })
  expect(issuer.keyRequests()).toBe(1)
  await issuer.rotate()
  await until(async () => (await oidc.verify(await issuer.sign()).catch(() => null))?.user === 'ana')
  const before = issuer.keyRequests()
  await Promise.all(
    Array.from({ length: 50 }, async (_, at) => expect(oidc.verify(await issuer.sign({}, { kid: `made-up-${at}` }))).rejects.toThrow(/does not publish/)),
  )
  expect(issuer.keyRequests()).toBeLessThanOrEqual(before + 1)
})

test('keys that were fetched ahead serve while the issuer is away', async () => {
  const { issuer, oidc, stop } = await start()
  await oidc.refresh()
  const token = await issuer.sign()
  await stop()
  expect(await oidc.verify(token)).toEqual({ user: 'ana', role: 'viewer', groups: [] })
  expect(oidc.remembered(token)).toMatchObject({ user: 'ana' })
  await expect(oidc.refresh()).rejects.toThrow(/cannot be fetched/)
  expect(await oidc.verify(await issuer.sign({ sub: 'ben' }))).toMatchObject({ user: 'ben' })
})

test('a token that was verified is remembered until it ends, and no longer', async () => {
  let now = Date.now()
  const { issuer, oidc } = await start({ clock: () => new Date(now), clockSkewSeconds: 0 })
  const token = await issuer.sign({ exp: Math.floor(now / 1000) + 10 })
  await oidc.verify(token)
  now += 9_000
  expect(oidc.remembered(token)).not.toBeNull()
  now += 2_000
  expect(oidc.remembered(token)).toBeNull()
  await expect(oidc.verify(token)).rejects.toThrow(/has expired/)
})

test('an issuer that calls itself something else is not believed', async () => {
  const { issuer } = await start()
  const { oidc } = await start({ issuer: `${issuer.issuer}/` })
  await expect(oidc.verify(await issuer.sign())).rejects.toThrow(/does not tell where its keys are/)
})
