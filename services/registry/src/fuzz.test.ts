import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import { mutatedJson } from '@millrace/platform/testing/mutated-json.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningRegistry, registered, runningRegistry } from './testing/running-registry.ts'

let registry: RunningRegistry
let webhook = ''
const atEnd: (() => Promise<void>)[] = []

/** Every host may be called, and takes nothing. */
const outside: OutsideClient = { findProblem: async () => null, post: async () => ({ status: 200, body: '', retryAfter: null }) }

beforeAll(async () => {
  registry = await runningRegistry({ REGISTRY_WEBHOOK_KEY: 'a1'.repeat(32) }, { outside, atEnd: (work) => atEnd.unshift(work) })
  await registered(registry, 'fish', 2)
  const created = await registry.mlflow('POST', 'webhooks', hook)
  webhook = JSON.stringify(created.body).match(/"webhook_id":"([^"]+)"/)?.[1] ?? ''
})
afterAll(async () => {
  for (const work of atEnd) await work()
})

const SEED = { seed: 20_260_101, endOnFailure: true }
const hook = {
  name: 'ci',
  url: 'https://hooks.example/x',
  events: [{ entity: 'MODEL_VERSION', action: 'CREATED' }],
  description: 'd',
  secret: 's',
  status: 'ACTIVE',
}

async function sendText(method: string, path: string, text: string): Promise<number> {
  const answer = await registry.send(method, path, { body: text })
  expect(answer.status, `${method} ${path} ${text.slice(0, 2000)} answered ${JSON.stringify(answer.body)}`).toBeLessThan(500)
  return answer.status
}
const stillServes = async (): Promise<void> => expect((await registry.mlflow('GET', 'registered-models/get', { name: 'fish' })).status).toBe(200)

const version = { name: 'fish', version: '1' }
const MLFLOW = '/api/2.0/mlflow'
const entries = (): [method: string, path: string, valid: object][] => [
  ['POST', `${MLFLOW}/registered-models/create`, { name: 'm', tags: [{ key: 'k', value: 'v' }], description: 'd' }],
  ['PATCH', `${MLFLOW}/registered-models/update`, { name: 'fish', description: 'd' }],
  ['POST', `${MLFLOW}/registered-models/rename`, { name: 'other', new_name: 'another' }],
  ['DELETE', `${MLFLOW}/registered-models/delete`, { name: 'other' }],
  ['POST', `${MLFLOW}/registered-models/get-latest-versions`, { name: 'fish', stages: ['None'] }],
  ['POST', `${MLFLOW}/registered-models/set-tag`, { name: 'fish', key: 'k', value: 'v' }],
  ['DELETE', `${MLFLOW}/registered-models/delete-tag`, { name: 'fish', key: 'k' }],
  ['POST', `${MLFLOW}/registered-models/alias`, { ...version, alias: 'best' }],
  ['DELETE', `${MLFLOW}/registered-models/alias`, { name: 'fish', alias: 'best' }],
  [
    'POST',
    `${MLFLOW}/model-versions/create`,
    {
      name: 'fish',
      source: 's3://bucket/model',
      run_id: 'fish-run-1',
      tags: [{ key: 'k', value: 'v' }],
      run_link: 'https://x.example',
      description: 'd',
      model_id: 'm-1',
    },
  ],
  ['PATCH', `${MLFLOW}/model-versions/update`, { ...version, description: 'd' }],
  ['POST', `${MLFLOW}/model-versions/transition-stage`, { ...version, stage: 'Staging', archive_existing_versions: false }],
  ['DELETE', `${MLFLOW}/model-versions/delete`, { name: 'fish', version: '99' }],
  ['POST', `${MLFLOW}/model-versions/set-tag`, { ...version, key: 'k', value: 'v' }],
  ['DELETE', `${MLFLOW}/model-versions/delete-tag`, { ...version, key: 'k' }],
  ['PUT', '/api/v1/models/fish/rollout', { candidates: [{ version: '2', percent: 10 }], expectedGeneration: 1 }],
  ['POST', '/api/v1/models/fish/rollback', { reason: 'x' }],
]

async function sendMutants(list: readonly (readonly [method: string, path: string, valid: object])[], numRuns: number): Promise<void> {
  for (const [method, path, valid] of list) {
    await fc.assert(
      fc.asyncProperty(mutatedJson(valid), async (text) => void (await sendText(method, path, text))),
      { ...SEED, numRuns },
    )
    await stillServes()
  }
}

test('no body, however it is changed, is answered as a fault of the server, and the next good one is served', async () => {
  await sendMutants(entries(), 15)
})

test('neither is that of a webhook, and none is kept that does not call a public https address', async () => {
  const path = `${MLFLOW}/webhooks`
  await sendMutants(
    [
      ['POST', path, hook],
      ['PATCH', `${path}/${webhook}`, hook],
      ['POST', `${path}/${webhook}/test`, { event: { entity: 'MODEL_VERSION', action: 'CREATED' } }],
    ],
    30,
  )
  const listed = await registry.mlflow('GET', 'webhooks', { max_results: 1000 })
  const urls = [...JSON.stringify(listed.body).matchAll(/"url":"((?:[^"\\]|\\.)*)"/g)].map(([, url]) => url)
  expect(urls.length).toBeGreaterThan(1)
  expect(urls.filter((url) => !url?.startsWith('https://'))).toEqual([])
})

const field = fc.oneof(
  fc.constantFrom(
    'name',
    'tags.k',
    'tags.`a b`',
    'run_id',
    'version_number',
    'source_path',
    'stage',
    'last_updated_timestamp',
    'creation_timestamp',
    'timestamp',
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((key) => `tag."${key}"`),
)
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `'${text.replaceAll("'", '')}'`),
  fc.constantFrom("'\\'", "'%'", "''", "'1'", '1', '-1', '1e308', "('a','b')", '()', '', "'%a%a%a%a%a%a%a%b'", "'99999999999999999999'"),
)
const comparator = fc.constantFrom('=', '!=', '>', '<=', 'LIKE', 'ilike', 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL')
const filter = fc
  .array(
    fc.tuple(field, comparator, value).map((parts) => parts.join(' ')),
    { minLength: 1, maxLength: 3 },
  )
  .map((list) => list.join(' AND '))
const part = fc.oneof(fc.constantFrom<unknown>(0, 1, -1, 1e308, null, '', 'a', '\u0000', '\ud800', 9007199254740991, 1.5, []), fc.string(), fc.double())
const token = fc.oneof(
  fc.array(part, { maxLength: 6 }).map((key) => Buffer.from(JSON.stringify({ key })).toString('base64url')),
  fc.tuple(fc.constant(0), fc.string(), fc.constant(0), part).map((key) => Buffer.from(JSON.stringify({ key })).toString('base64url')),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

test('whatever filter, order or page token is accepted runs on the database', async () => {
  const seen = new Map<string, number>()
  const ask = async (path: string, fields: Record<string, string>): Promise<void> => {
    const { status, body } = await registry.mlflow('GET', path, fields)
    expect(status, `${path} ${JSON.stringify(fields)} answered ${JSON.stringify(body)}`).toBeLessThan(500)
    seen.set(`${path} ${status}`, (seen.get(`${path} ${status}`) ?? 0) + 1)
  }
  const paths = ['registered-models/search', 'model-versions/search', 'webhooks']
  const property = fc.asyncProperty(fc.constantFrom(...paths), filter, field, token, async (path, text, order_by, page_token) => {
    await ask(path, { filter: text })
    await ask(path, { order_by: `${order_by} DESC`, max_results: '2' })
    await ask(path, { page_token })
  })
  await fc.assert(property, { ...SEED, numRuns: 80 })
  for (const path of paths) expect([path, (seen.get(`${path} 200`) ?? 0) > 5, (seen.get(`${path} 400`) ?? 0) > 5]).toEqual([path, true, true])
})
