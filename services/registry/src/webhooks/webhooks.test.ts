import type { HostProblem, OutsideClient } from '@millrace/platform/http/outside-client.ts'
import { expect, test } from 'vitest'
import { type RunningRegistry, runningRegistry } from '../testing/running-registry.ts'

const KEY = 'a1'.repeat(32)
const created = { entity: 'MODEL_VERSION', action: 'CREATED' }

/** Every host is fine but those of `problems`; nothing is ever sent. */
const outsideWith = (problems: Readonly<Record<string, HostProblem>> = {}): OutsideClient => ({
  findProblem: async (hostname) => problems[hostname] ?? null,
  post: () => Promise.reject(new Error('nothing is sent here')),
})

const start = (problems?: Readonly<Record<string, HostProblem>>) => runningRegistry({ REGISTRY_WEBHOOK_KEY: KEY }, { outside: outsideWith(problems) })

const webhook = (fields: object = {}) => ({ name: 'ci', url: 'https://hooks.example/x', events: [created], ...fields })
const create = async (registry: RunningRegistry, fields: object = {}) => (await registry.mlflow('POST', 'webhooks', webhook(fields))).body['webhook']
const idOf = (value: unknown): string => (typeof value === 'object' && value !== null && 'webhook_id' in value ? String(value.webhook_id) : '')

test('a webhook is created, read, changed, listed and deleted with the fields that the client expects', async () => {
  const registry = await start()
  const { mlflow } = registry
  const answer = await mlflow('POST', 'webhooks', webhook({ description: 'Tests', secret: 's3cret', status: 'DISABLED', unknown: 1 }))
  const times = { creation_timestamp: expect.any(Number), last_updated_timestamp: expect.any(Number) }
  const shown = {
    webhook_id: expect.any(String),
    name: 'ci',
    description: 'Tests',
    url: 'https://hooks.example/x',
    events: [created],
    status: 'DISABLED',
    ...times,
  }
  expect(answer).toMatchObject({ status: 200, body: { webhook: shown } })
  expect(answer.body).toEqual({ webhook: shown })
  const id = idOf(answer.body['webhook'])
  expect((await mlflow('GET', `webhooks/${id}`)).body).toEqual({ webhook: shown })
  const changed = await mlflow('PATCH', `webhooks/${id}`, { name: '', events: [{ entity: 4, action: 'deleted' }], status: 1, description: '', secret: null })
  expect(changed.body).toEqual({
    webhook: {
      ...{ webhook_id: id, name: 'ci', url: 'https://hooks.example/x', status: 'ACTIVE', ...times },
      events: [{ entity: 'MODEL_VERSION_ALIAS', action: 'DELETED' }],
    },
  })
  expect((await registry.send('GET', '/ajax-api/2.0/mlflow/webhooks')).body).toEqual({ webhooks: [changed.body['webhook']] })
  expect((await mlflow('DELETE', `webhooks/${id}`)).body).toEqual({})
  expect((await mlflow('GET', 'webhooks')).body).toEqual({})
  for (const [method, path] of [
    ['GET', `webhooks/${id}`],
    ['PATCH', `webhooks/${id}`],
    ['DELETE', `webhooks/${id}`],
    ['POST', `webhooks/${id}/test`],
  ] as const) {
    expect(await mlflow(method, path)).toMatchObject({
      status: 404,
      body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: `Webhook with ID ${id} not found.` },
    })
  }
})

test('webhooks are listed newest first, in pages, and the last full page has no token', async () => {
  const registry = await start()
  for (const name of ['a', 'b', 'c', 'd']) await create(registry, { name })
  const page = async (fields: object) => {
    const { body } = await registry.mlflow('GET', 'webhooks', { ...fields })
    const names = Array.isArray(body['webhooks']) ? body['webhooks'].map((each) => each.name) : []
    return { names, token: body['next_page_token'] }
  }
  const first = await page({ max_results: 2 })
  expect(first).toMatchObject({ names: ['d', 'c'], token: expect.any(String) })
  expect(await page({ max_results: 2, page_token: first.token })).toEqual({ names: ['b', 'a'], token: undefined })
  for (const max of ['0', '1001', '-1', 'x', '']) {
    const answer = await registry.mlflow('GET', 'webhooks', { max_results: max })
    expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'max_results must be between 1 and 1000.' } })
  }
  expect(await registry.mlflow('GET', 'webhooks', { page_token: 'x' })).toMatchObject({
    status: 400,
    body: { message: expect.stringMatching(/^Invalid page token/) },
  })
})

const refusals: readonly [object, string][] = [
  [{ name: undefined }, "Missing value for required parameter 'name'."],
  [{ url: undefined }, "Missing value for required parameter 'url'."],
  [{ events: undefined }, "Missing value for required parameter 'events'."],
  [{ name: 7 }, "Invalid value 7 for parameter 'name' supplied:  Hint: Value was of type 'int'."],
  [{ name: '-ci' }, "Webhook name '-ci' is invalid. "],
  [{ name: 'x'.repeat(64) }, "Webhook name 'xxx"],
  [{ name: 'two words' }, "Webhook name 'two words' is invalid. "],
  [{ name: '' }, "Webhook name '' is invalid. "],
  [{ url: '  ' }, "Webhook URL cannot be empty or just whitespace: '  '"],
  [{ url: 'ftp://hooks.example/x' }, "Invalid webhook URL scheme: 'ftp'. Allowed schemes are: https."],
  [{ url: 'http://hooks.example/x' }, "Invalid webhook URL scheme: 'http'. Allowed schemes are: https."],
  [{ url: 'hooks.example' }, "Invalid webhook URL scheme: ''. Allowed schemes are: https."],
  [{ url: 'https://[::1' }, "Invalid webhook URL 'https://[::1'"],
  [{ url: 'https://a b/' }, "Invalid webhook URL 'https://a b/'"],
  [{ url: 'https:///path' }, "Webhook URL must include a hostname: 'https:///path'"],
  [{ url: 'https:hooks.example' }, "Webhook URL must include a hostname: 'https:hooks.example'"],
  [{ url: 'https://user:pass@hooks.example/' }, 'Invalid webhook URL: leave user name and password out of it'],
  [{ url: `https://hooks.example/${'x'.repeat(2048)}` }, "'url' exceeds the maximum length of 2048 characters"],
  [{ url: 'https://gone.example/' }, "Cannot resolve webhook URL hostname 'gone.example': ENOTFOUND"],
  [{ url: 'https://inside.example/' }, "Webhook URL must not resolve to a non-public IP address. 'inside.example' resolves to 10.0.0.5."],
  [{ url: 'https://127.1/' }, "Webhook URL must not resolve to a non-public IP address. '127.0.0.1' resolves to 127.0.0.1."],
  [{ events: [] }, 'Webhook events cannot be empty'],
  [{ events: 'all' }, 'Invalid value "all" for parameter \'events\' supplied:'],
  [{ events: [{ entity: 'MODEL_VERSION', action: 'DELETED' }] }, "Invalid action 'deleted' for entity 'model_version'. Valid actions are: ['created']"],
  [{ events: [{ entity: 'PROMPT_TAG', action: 'x' }] }, "Invalid action 'x' for entity 'prompt_tag'. Valid actions are: ['deleted', 'set']"],
  [{ events: [{ entity: 'RUN', action: 'CREATED' }] }, "Invalid webhook entity 'RUN'."],
  [{ events: [{ entity: 'constructor', action: 'CREATED' }] }, "Invalid webhook entity 'constructor'."],
  [{ events: [{ entity: 99, action: 1 }] }, "Invalid webhook entity '99'."],
  [{ events: [{ entity: 'MODEL_VERSION' }] }, "Missing value for required parameter 'events[0].action'."],
  [{ status: 'PAUSED' }, "Invalid webhook status 'PAUSED'."],
  [{ description: 'x'.repeat(1001) }, "'description' exceeds the maximum length of 1000 characters"],
  [{ secret: 'x'.repeat(1001) }, "'secret' exceeds the maximum length of 1000 characters"],
  [{ secret: 'a\u0000b' }, 'A character cannot be stored'],
]

test('what is wrong with a new webhook is refused in the words that clients know', async () => {
  const registry = await start({
    'gone.example': { kind: 'unresolvable', detail: 'ENOTFOUND' },
    'inside.example': { kind: 'not-public', detail: '10.0.0.5' },
    '127.0.0.1': { kind: 'not-public', detail: '127.0.0.1' },
  })
  for (const [fields, message] of refusals) {
    const answer = await registry.mlflow('POST', 'webhooks', webhook(fields))
    expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining(message) } })
  }
  expect((await registry.mlflow('GET', 'webhooks')).body).toEqual({})
})

test('a changed URL is looked at like a new one', async () => {
  const registry = await start({ 'inside.example': { kind: 'not-public', detail: '10.0.0.5' } })
  const id = idOf(await create(registry))
  const answer = await registry.mlflow('PATCH', `webhooks/${id}`, { url: 'https://inside.example/' })
  expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('10.0.0.5') } })
  expect((await registry.mlflow('GET', `webhooks/${id}`)).body).toMatchObject({ webhook: { url: 'https://hooks.example/x' } })
})

test('without a key a secret is refused with what to do, and a webhook without one is fine', async () => {
  const registry = await runningRegistry({}, { outside: outsideWith() })
  const answer = await registry.mlflow('POST', 'webhooks', webhook({ secret: 's3cret' }))
  expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('Set REGISTRY_WEBHOOK_KEY') } })
  const id = idOf(await create(registry))
  expect(await registry.mlflow('PATCH', `webhooks/${id}`, { secret: 's3cret' })).toMatchObject({ status: 400 })
  expect(await registry.mlflow('PATCH', `webhooks/${id}`, { secret: '' })).toMatchObject({ status: 200 })
})

test('a secret lies encrypted in the database, is in no answer and no audit row, and goes when the webhook goes', async () => {
  const registry = await start()
  const made = await registry.mlflow('POST', 'webhooks', webhook({ secret: 's3cret-of-mine', url: 'https://hooks.example/private-path' }))
  const id = idOf(made.body['webhook'])
  const answers = [made, await registry.mlflow('PATCH', `webhooks/${id}`, { secret: 's3cret-of-mine' }), await registry.mlflow('GET', 'webhooks')]
  expect(JSON.stringify(answers.map((answer) => answer.body))).not.toContain('s3cret')
  const [row] = await registry.database.query<{ secret: Buffer }>('select secret from webhook')
  expect(row?.secret.toString('latin1')).not.toContain('s3cret')
  await registry.mlflow('DELETE', `webhooks/${id}`)
  expect(await registry.database.query('select secret from webhook')).toEqual([{ secret: null }])
  const audit = await registry.database.query<{ action: string }>('select action, actor, details from audit_entry order by id')
  expect(audit.map((entry) => entry.action)).toEqual(['create-webhook', 'update-webhook', 'delete-webhook'])
  expect(audit[0]).toMatchObject({ actor: 'ana', details: { name: 'ci', host: 'hooks.example', signed: true } })
  expect(JSON.stringify(audit)).not.toMatch(/s3cret|private-path/)
})

test('webhooks are for administrators alone, also to be read', async () => {
  const registry = await start()
  const id = idOf(await create(registry))
  for (const prefix of ['/api/2.0/mlflow', '/ajax-api/2.0/mlflow']) {
    for (const [method, path] of [
      ['GET', 'webhooks'],
      ['POST', 'webhooks'],
      ['GET', `webhooks/${id}`],
      ['PATCH', `webhooks/${id}`],
      ['DELETE', `webhooks/${id}`],
      ['POST', `webhooks/${id}/test`],
    ] as const) {
      const sending = method === 'GET' || method === 'DELETE' ? {} : { body: webhook() }
      expect((await registry.send(method, `${prefix}/${path}`, { ...sending, role: 'promoter' })).status).toBe(403)
    }
  }
  expect((await registry.send('GET', `/api/v1/webhooks/${id}/deliveries`, { role: 'promoter' })).status).toBe(403)
})
