import { apiKeyCreated } from '@millrace/contracts/http/gateway.ts'
import { encodeRights } from '@millrace/platform/access/rights-claim.ts'
import { startOidcIssuer } from '@millrace/platform/testing/oidc-issuer.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { type GatewayConfig, gatewayConfig } from '../config.ts'
import { jsonPost, problemOf } from '../testing/requests.ts'
import { startGateway, startUpstream } from '../testing/start-gateway.ts'

const rightsOf = async (answer: Response) => z.looseObject({ rights: z.looseObject({ fallback: z.string() }).optional() }).parse(await answer.json()).rights

async function start(settings: Partial<GatewayConfig> = {}, owned: object[] = []) {
  const registry = await startUpstream((request, response) => {
    const body = request.url === '/api/v1/owners' ? { owned } : { url: request.url }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const gateway = await startGateway({
    config: { ...gatewayConfig.parse({}), ...settings },
    ...(owned.length > 0 ? { upstreams: { registry: () => [registry] } } : {}),
  })
  const { send } = gateway
  const keyOf = async (name: string, role: string): Promise<Record<string, string>> => ({
    'x-api-key': apiKeyCreated.parse(await (await send('/api/v1/keys', jsonPost({ name, role }))).json()).key,
  })
  const grant = (body: object, headers: Record<string, string> = {}) => send('/api/v1/access/grants', jsonPost(body, headers))
  return { ...gateway, keyOf, grant }
}

test('without grants and without a default permission nothing travels but the role', async () => {
  const { send, keyOf } = await start()
  expect(await rightsOf(await send('/api/v1/models', { headers: await keyOf('ana', 'editor') }))).toBeUndefined()
})

test('grants to a user, to everybody and to groups travel with the request; the default permission holds where none says anything', async () => {
  const { send, keyOf, grant } = await start({ GATEWAY_DEFAULT_PERMISSION: 'READ' })
  const ana = await keyOf('ana', 'editor')
  expect((await grant({ user: 'ana', resource: 'model', name: 'fish', permission: 'EDIT', promote: true })).status).toBe(201)
  expect((await grant({ user: '*', resource: 'model', pattern: 'public-*', permission: 'USE' })).status).toBe(201)
  expect((await grant({ group: 'vision', resource: 'experiment', id: '7', permission: 'MANAGE' })).status).toBe(201)
  expect((await send('/api/v1/access/groups/vision', { ...jsonPost({ members: ['ana'] }), method: 'PUT' })).status).toBe(200)
  expect(await rightsOf(await send('/api/v1/training/jobs', { headers: ana }))).toEqual({
    fallback: 'READ',
    grants: expect.arrayContaining([
      { kind: 'model', by: 'name', value: 'fish', level: 'EDIT', promote: true, personal: true },
      { kind: 'model', by: 'pattern', value: 'public-*', level: 'USE', promote: false, personal: false },
      { kind: 'experiment', by: 'id', value: '7', level: 'MANAGE', promote: false, personal: false },
    ]),
  })
})

test('groups come with a token', async () => {
  const issuer = await startOidcIssuer()
  onTestFinished(issuer.stop)
  const { send, grant } = await start({ ...gatewayConfig.parse({ GATEWAY_OIDC_ISSUER: issuer.value.issuer }) })
  await grant({ group: 'vision', resource: 'model', name: 'fish', permission: 'EDIT' })
  const ask = async (claims: object) =>
    rightsOf(await send('/api/v1/training/jobs', { headers: { authorization: `Bearer ${await issuer.value.sign({ ...claims })}` } }))
  expect(await ask({ sub: 'ana', groups: ['vision', 'other'] })).toMatchObject({ grants: [{ value: 'fish' }] })
  expect(await ask({ sub: 'ben' })).toBeUndefined()
})

test('a prediction for a model that the caller may not use ends at the gateway, in every dialect that names one in its path', async () => {
  const { send, keyOf, grant } = await start()
  const ana = await keyOf('ana', 'user')
  await grant({ user: 'ana', resource: 'model', pattern: 'secret*', permission: 'NO_PERMISSIONS' })
  const paths = [
    '/v2/models/secret/infer',
    '/v2/models/secret/versions/1/infer',
    '/v1/models/secret:predict',
    '/models/secret/invocations',
    '/predict?model=secret',
  ]
  for (const path of [...paths, '/v2/models/%73ecret/infer']) {
    const answer = await send(path, jsonPost({}, ana))
    expect([path, answer.status]).toEqual([path, 403])
    expect(await answer.text()).not.toContain("'secret'")
  }
  for (const path of paths) expect((await send(path.replace('secret', 'fish'), jsonPost({}, ana))).status).toBe(200)
  expect((await send('/api/v1/models/secret', { headers: ana })).status).toBe(403)
  expect((await send('/ajax-api/2.0/mlflow/registered-models/get?name=secret', { headers: ana })).status).toBe(403)
})

test('a viewer with USE on one model predicts with that one', async () => {
  const { send, keyOf, grant } = await start()
  const ana = await keyOf('ana', 'viewer')
  expect((await send('/v2/models/fish/infer', jsonPost({}, ana))).status).toBe(403)
  await grant({ user: 'ana', resource: 'model', name: 'fish', permission: 'USE' })
  expect((await send('/v2/models/fish/infer', jsonPost({}, ana))).status).toBe(200)
  expect((await send('/v2/models/other/infer', jsonPost({}, ana))).status).toBe(403)
})

test('who made a model manages it, and shares it, but gives nobody the right to promote', async () => {
  const { send, keyOf, grant } = await start({ GATEWAY_DEFAULT_PERMISSION: 'NO_PERMISSIONS' }, [{ name: 'fish', owner: 'ana' }])
  const [ana, ben] = [await keyOf('ana', 'editor'), await keyOf('ben', 'user')]
  await until(async () => (await send('/api/v1/models/fish', { headers: ana })).status === 200)
  expect((await send('/v2/models/fish/infer', jsonPost({}, ben))).status).toBe(403)
  expect((await grant({ user: 'ben', resource: 'model', name: 'fish', permission: 'USE' }, ben)).status).toBe(403)
  const shared = await grant({ user: 'ben', resource: 'model', name: 'fish', permission: 'USE' }, ana)
  expect(shared.status).toBe(201)
  expect((await send('/v2/models/fish/infer', jsonPost({}, ben))).status).toBe(200)
  expect((await grant({ user: 'ana', resource: 'model', name: 'fish', promote: true }, ana)).status).toBe(403)
  expect((await grant({ user: 'ana', resource: 'model', pattern: '*', permission: 'MANAGE' }, ana)).status).toBe(403)
  const { grantId } = z.looseObject({ grantId: z.number() }).parse(await shared.json())
  expect((await send(`/api/v1/access/grants/${grantId}`, { method: 'DELETE', headers: { ...ana, 'content-type': 'application/json' } })).status).toBe(204)
  expect((await send('/v2/models/fish/infer', jsonPost({}, ben))).status).toBe(403)
})

test('a grant that says too little or too much is refused with what was expected', async () => {
  const { grant } = await start()
  const bad: [object, RegExp][] = [
    [{ resource: 'model', name: 'fish', permission: 'READ' }, /exactly one of user and group/],
    [{ user: 'a', group: 'b', resource: 'model', name: 'fish', permission: 'READ' }, /exactly one of user and group/],
    [{ user: 'a', resource: 'model', permission: 'READ' }, /exactly one of id, name and pattern/],
    [{ user: 'a', resource: 'model', id: '1', permission: 'READ' }, /by name or pattern/],
    [{ user: 'a', resource: 'model', name: 'fish' }, /permission, promote, or both/],
    [{ user: 'a', resource: 'model', name: 'fish', permission: 'KING' }, /NO_PERMISSIONS/],
  ]
  for (const [body, words] of bad) {
    const answer = await grant(body)
    expect([answer.status, (await problemOf(answer)).detail]).toEqual([400, expect.stringMatching(words)])
  }
})

test('grants that do not fit into a request are refused with the way out, not cut off', async () => {
  const { send, keyOf, database } = await start()
  const ana = await keyOf('ana', 'editor')
  const values = Array.from({ length: 3000 }, (_, at) => `model-${((at + 1) * 2_654_435_761) % 1_000_003}-${at * at}`)
  await database.query(
    `insert into access_grant (principal_kind, principal, resource, matched_by, value, level, created_at, created_by)
      select 'user', 'ana', 'model', 'name', value, 'READ', now(), 'test' from unnest($1::text[]) as t (value)`,
    [values],
  )
  expect(
    encodeRights({ fallback: 'READ', grants: values.map((value) => ({ kind: 'model', by: 'name', value, level: 'READ', promote: false, personal: true })) }),
  ).toBeNull()
  await send('/api/v1/access/groups/any', { ...jsonPost({ members: [] }), method: 'PUT' })
  const answer = await send('/api/v1/models', { headers: ana })
  expect([answer.status, (await problemOf(answer)).detail]).toEqual([403, expect.stringContaining('join them by name patterns')])
})

test('a caller sees their own role and rights', async () => {
  const { send, keyOf, grant } = await start()
  const ana = await keyOf('ana', 'viewer')
  await grant({ user: 'ana', resource: 'model', name: 'fish', permission: 'USE' })
  const me: unknown = await (await send('/api/v1/access/me', { headers: ana })).json()
  expect(me).toMatchObject({ user: 'ana', role: 'viewer', fallback: 'READ', grants: [{ resource: 'model', name: 'fish', permission: 'USE' }] })
})
