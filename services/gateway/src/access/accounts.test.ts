import { apiKeyCreated } from '@millrace/contracts/http/gateway.ts'
import { expect, test } from 'vitest'
import { gatewayConfig } from '../config.ts'
import { echoOf, jsonPost, problemOf } from '../testing/requests.ts'
import { startGateway } from '../testing/start-gateway.ts'

const PASSWORD = 'correct horse battery'
const basic = (user: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` })
const json = (method: string, body: unknown, headers: Record<string, string> = {}): RequestInit => ({ ...jsonPost(body, headers), method })

async function start(settings: Record<string, string> = {}) {
  const gateway = await startGateway({ config: gatewayConfig.parse(settings) })
  const { send } = gateway
  const users = (verb: string, method: string, body: object, headers: Record<string, string> = {}) =>
    send(`/api/2.0/mlflow/users/${verb}`, json(method, body, headers))
  const createUser = (username: string) => users('create', 'POST', { username, password: PASSWORD })
  return { ...gateway, users, createUser }
}

test('an account signs in as the MLflow client does: by name and password, or by key', async () => {
  const { send, createUser, database } = await start()
  const created: unknown = await (await createUser('ana')).json()
  expect(created).toEqual({ user: { id: 1, username: 'ana', is_admin: false, experiment_permissions: [], registered_model_permissions: [] } })
  for (let at = 0; at < 3; at += 1)
    expect(await echoOf(await send('/api/v1/models', { headers: basic('ana', PASSWORD) }))).toMatchObject({ user: 'ana', role: 'editor' })
  const { key } = apiKeyCreated.parse(await (await send('/api/v1/keys', jsonPost({ name: 'ci', role: 'viewer' }))).json())
  expect(await echoOf(await send('/api/v1/models', { headers: basic('whoever', key) }))).toMatchObject({ user: 'ci' })
  expect((await send('/api/v1/models', { headers: basic('ana', 'wrong') })).status).toBe(401)
  expect((await send('/api/v1/models', { headers: basic('nobody', PASSWORD) })).status).toBe(401)
  expect((await send('/api/v1/models', { headers: { authorization: 'Basic !!!' } })).status).toBe(401)
  const [row] = await database.query<{ dump: string }>('select account::text as dump from account')
  expect(row?.dump).toContain('scrypt$15$8$1$')
  expect(row?.dump).not.toContain(PASSWORD)
})

test('a changed password, a changed role and a deleted account count at once, remembered credentials or not', async () => {
  const { send, users, createUser } = await start()
  await createUser('ana')
  const ask = async (password = PASSWORD) => send('/api/v1/models', { headers: basic('ana', password) })
  expect((await ask()).status).toBe(200)
  expect((await users('update-password', 'PATCH', { username: 'ana', password: 'another password' }, basic('ana', PASSWORD))).status).toBe(403)
  const changed = { username: 'ana', password: 'another password', current_password: PASSWORD }
  expect((await users('update-password', 'PATCH', changed, basic('ana', PASSWORD))).status).toBe(200)
  expect((await ask()).status).toBe(401)
  expect((await users('update-admin', 'PATCH', { username: 'ana', is_admin: true })).status).toBe(200)
  expect(await echoOf(await ask('another password'))).toMatchObject({ role: 'admin' })
  expect((await users('delete', 'DELETE', { username: 'ana' })).status).toBe(200)
  expect((await ask('another password')).status).toBe(401)
})

test("accounts are an administrator's to manage; a user sees their own alone", async () => {
  const { send, users, createUser } = await start()
  await Promise.all([createUser('ana'), createUser('ben')])
  const ana = basic('ana', PASSWORD)
  expect((await users('create', 'POST', { username: 'eve', password: PASSWORD }, ana)).status).toBe(403)
  expect((await users('update-admin', 'PATCH', { username: 'ana', is_admin: true }, ana)).status).toBe(403)
  expect((await users('update-password', 'PATCH', { username: 'ben', password: PASSWORD }, ana)).status).toBe(403)
  expect((await send('/api/2.0/mlflow/users/get?username=ben', { headers: ana })).status).toBe(403)
  expect(await (await send('/api/2.0/mlflow/users/get?username=ana', { headers: ana })).json()).toMatchObject({ user: { username: 'ana' } })
  expect(await (await send('/ajax-api/2.0/mlflow/users/current', { headers: ana })).json()).toMatchObject({ user: { username: 'ana' }, is_basic_auth: true })
})

test('what the reference server refuses is refused in its words', async () => {
  const { users, createUser, send } = await start()
  await createUser('ana')
  expect(await problemOf(await createUser('ana'))).toMatchObject({ error_code: 'RESOURCE_ALREADY_EXISTS' })
  expect(await problemOf(await users('create', 'POST', { username: 'ben', password: 'short' }))).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
  expect(await problemOf(await users('create', 'POST', { username: 'registry', password: PASSWORD }))).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
  expect(await problemOf(await users('delete', 'DELETE', { username: 'nobody' }))).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' })
  expect(await problemOf(await send('/api/2.0/mlflow/users/get?username=nobody'))).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' })
  expect(await problemOf(await users('create', 'POST', { username: 'ben' }))).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
})

test('permissions are created, read, changed and deleted as AuthServiceClient does', async () => {
  const { send, createUser } = await start({ GATEWAY_DEFAULT_PERMISSION: 'READ' })
  await createUser('ana')
  const kinds = [
    ['experiments', { experiment_id: '7' }, 'experiment_permission'],
    ['registered-models', { name: 'fish' }, 'registered_model_permission'],
  ] as const
  for (const [kind, resource, answer] of kinds) {
    const path = `/api/2.0/mlflow/${kind}/permissions`
    const who = { ...resource, username: 'ana' }
    const get = () => send(`${path}/get?${new URLSearchParams(who)}`)
    expect(await problemOf(await get())).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' })
    expect(await (await send(`${path}/create`, json('POST', { ...who, permission: 'EDIT' }))).json()).toEqual({
      [answer]: { ...resource, user_id: 1, permission: 'EDIT' },
    })
    expect(await problemOf(await send(`${path}/create`, json('POST', { ...who, permission: 'READ' })))).toMatchObject({ error_code: 'RESOURCE_ALREADY_EXISTS' })
    expect(await (await send(`${path}/update`, json('PATCH', { ...who, permission: 'NO_PERMISSIONS' }))).json()).toEqual({})
    expect(await (await get()).json()).toEqual({ [answer]: { ...resource, user_id: 1, permission: 'NO_PERMISSIONS' } })
    expect((await send(`${path}/delete`, json('DELETE', who))).status).toBe(200)
    expect((await send(`${path}/delete`, json('DELETE', who))).status).toBe(404)
    expect(await problemOf(await send(`${path}/create`, json('POST', { ...who, permission: 'KING' })))).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
    expect((await send(`${path}/create`, json('POST', { ...who, permission: 'EDIT' }, basic('ana', PASSWORD)))).status).toBe(403)
  }
})

test('the newer calls per user reach the same grants', async () => {
  const { send, createUser } = await start({ GATEWAY_DEFAULT_PERMISSION: 'NO_PERMISSIONS' })
  await createUser('ana')
  const path = '/api/3.0/mlflow/users/permissions'
  const about = { username: 'ana', resource_type: 'registered_model', resource_id: 'fish' }
  const get = async () => (await send(`${path}/get?${new URLSearchParams(about)}`)).json()
  expect(await get()).toEqual({ allowed: false, permission: 'NO_PERMISSIONS' })
  expect((await send(`${path}/grant`, json('POST', { ...about, permission: 'USE' }))).status).toBe(200)
  expect(await get()).toEqual({ allowed: true, permission: 'USE' })
  expect((await send('/v2/models/fish/infer', jsonPost({}, basic('ana', PASSWORD)))).status).toBe(200)
  expect((await send(`${path}/revoke`, json('POST', about))).status).toBe(200)
  expect((await send('/v2/models/fish/infer', jsonPost({}, basic('ana', PASSWORD)))).status).toBe(403)
})

test('wrong passwords for one user are cut off, whatever address they come from, and then the right one too', async () => {
  const { send, createUser } = await start()
  await createUser('ana')
  for (let at = 0; at < 10; at += 1) expect((await send('/api/v1/models', { headers: basic('ana', `wrong ${at}`) })).status).toBe(401)
  expect((await send('/api/v1/models', { headers: basic('ana', PASSWORD) })).status).toBe(429)
})

test('a page of another origin cannot use the password that a browser adds by itself', async () => {
  const { send, createUser } = await start()
  await createUser('ana')
  const headers = { ...basic('ana', PASSWORD), origin: 'https://evil.example' }
  expect((await send('/api/v1/models', { method: 'POST', headers })).status).toBe(403)
})
