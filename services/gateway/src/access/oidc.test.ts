import { createHmac } from 'node:crypto'
import { startOidcIssuer } from '@millrace/platform/testing/oidc-issuer.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { GatewayConfig } from '../config.ts'
import { gatewayConfig } from '../config.ts'
import { echoOf, problemOf } from '../testing/requests.ts'
import { startGateway } from '../testing/start-gateway.ts'

async function start(settings: Record<string, string> = {}) {
  const issuer = await startOidcIssuer()
  onTestFinished(issuer.stop)
  const config: Partial<GatewayConfig> = gatewayConfig.parse({ GATEWAY_OIDC_ISSUER: issuer.value.issuer, ...settings })
  const gateway = await startGateway({ config })
  const ask = (token: string, path = '/api/v1/models') => gateway.send(path, { headers: { authorization: `Bearer ${token}` } })
  return { ...gateway, ...issuer.value, ask }
}
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

test('a token of the issuer is a caller, with the role and groups of its claims', async () => {
  const { sign, ask } = await start({ GATEWAY_OIDC_ROLES: 'ml-staff=editor,ml-admins=admin', GATEWAY_OIDC_ROLE_CLAIM: 'realm_access.roles' })
  expect(await echoOf(await ask(await sign()))).toMatchObject({ user: 'ana', role: 'viewer' })
  expect(await echoOf(await ask(await sign({ sub: 'ben', realm_access: { roles: ['other', 'ml-staff'] } })))).toMatchObject({ user: 'ben', role: 'editor' })
  expect(await echoOf(await ask(await sign({ sub: 'eve', realm_access: { roles: ['ml-staff', 'ml-admins'] } })))).toMatchObject({ role: 'admin' })
})

test('what does not hold is refused with its reason, and nothing of the token is repeated', async () => {
  const { sign, ask, issuer, publicKey } = await start({ GATEWAY_OIDC_DEFAULT_ROLE: 'none' })
  const seconds = Math.floor(Date.now() / 1000)
  const good = { role: 'editor' }
  expect((await ask(await sign(good))).status).toBe(200)
  const [header = '', payload = ''] = (await sign(good)).split('.')
  const confused = `${encode({ alg: 'HS256', kid: 'key-1' })}.${payload}`
  const hmac = createHmac('sha256', JSON.stringify(publicKey())).update(confused).digest('base64url')
  const refused: [string, string][] = [
    [await sign({ ...good, exp: seconds - 120 }), 'it has expired'],
    [await sign({ ...good, nbf: seconds + 600 }), 'not valid yet'],
    [await sign({ ...good, aud: 'somebody-else' }), "not meant for the audience 'millrace'"],
    [await sign({ ...good, iss: 'https://evil.example' }), `not issued by ${issuer}`],
    [await sign({ ...good }, { withoutEnd: true }), "its claim 'exp' is missing"],
    [await sign(good, { kid: 'nobody-knows' }), 'a key that the issuer does not publish'],
    [await sign({}), 'names no role'],
    [await sign({ ...good, sub: 'registry' }), 'reserved'],
    [`${encode({ alg: 'none' })}.${payload}.`, 'algorithm is not one of those allowed'],
    [`${confused}.${hmac}`, 'algorithm is not one of those allowed'],
    [
      `${header}.${encode({ iss: issuer, aud: 'millrace', sub: 'eve', role: 'admin', exp: seconds + 60 })}.${(await sign(good)).split('.')[2]}`,
      'signature or form',
    ],
  ]
  for (const [token, reason] of refused) {
    const answer = await ask(token)
    const { detail } = await problemOf(answer)
    expect([answer.status, detail]).toEqual([401, expect.stringContaining(reason)])
    expect(detail).not.toContain(token.slice(0, 20))
  }
})

test('a clock that is a little off is forgiven', async () => {
  const { sign, ask } = await start({ GATEWAY_OIDC_CLOCK_SKEW_SECONDS: '30' })
  expect((await ask(await sign({ exp: Math.floor(Date.now() / 1000) - 5 }))).status).toBe(200)
})

test('while the keys of the issuer cannot be had, a caller is told to come again', async () => {
  const { sign, ask } = await start({ GATEWAY_OIDC_JWKS_URL: 'http://127.0.0.1:9/keys' })
  const answer = await ask(await sign())
  expect([answer.status, (await problemOf(answer)).detail]).toEqual([503, expect.not.stringContaining('ECONNREFUSED')])
})

test('an issuer without TLS on another machine, or an algorithm with a shared secret, is no setting', () => {
  expect(gatewayConfig.safeParse({ GATEWAY_OIDC_ISSUER: 'http://issuer.example' }).success).toBe(false)
  expect(gatewayConfig.safeParse({ GATEWAY_OIDC_ALGORITHMS: 'RS256,HS256' }).success).toBe(false)
  expect(gatewayConfig.safeParse({ GATEWAY_OIDC_ALGORITHMS: 'none' }).success).toBe(false)
  expect(gatewayConfig.safeParse({ GATEWAY_OIDC_ROLES: 'staff=king' }).success).toBe(false)
})
