import { mutatedJson } from '@millrace/platform/testing/mutated-json.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from './testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let run_id = ''
let model_id = ''

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  run_id = (await call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
  model_id = (await call('POST', 'logged-models', { body: { experiment_id: '0', name: 'm', source_run_id: run_id } })).text('model', 'info', 'model_id')
  const metrics = [1, 2, 3].map((step) => ({ key: 'a', value: step, timestamp: step, step }))
  await call('POST', 'runs/log-batch', { body: { run_id, metrics, params: [{ key: 'a', value: '%_\\' }], tags: [{ key: 'a', value: "it's" }] } })
})
afterAll(() => tracking.stop())

const SEED = { seed: 20_260_101, endOnFailure: true }

/** Sends a body as it is written. Whatever it holds, the answer is not the server's fault, and is in MLflow's words. */
async function sendText(method: string, path: string, text: string): Promise<number> {
  const answer = await call(method, path, { raw: Buffer.from(text), headers: { 'content-type': 'application/json' } })
  expect(answer.status, `${method} ${path} ${text.slice(0, 2000)} answered ${answer.bytes}`).toBeLessThan(500)
  if (answer.status >= 400) expect([answer.text('error_code'), answer.text('message')]).not.toContain('')
  return answer.status
}
const stillServes = async (): Promise<void> => expect((await call('GET', `runs/get?run_id=${run_id}`)).status).toBe(200)

const entries = (): [method: string, path: string, valid: object][] => [
  ['POST', 'experiments/create', { name: 'e', artifact_location: 'mlflow-artifacts:/e', tags: [{ key: 'k', value: 'v' }] }],
  ['POST', 'experiments/update', { experiment_id: '1', new_name: 'f' }],
  ['POST', 'experiments/set-experiment-tag', { experiment_id: '0', key: 'k', value: 'v' }],
  ['POST', 'experiments/search', { max_results: 5, filter: "name = 'e'", order_by: ['name'], view_type: 'ALL', page_token: '' }],
  ['POST', 'experiments/search-datasets', { experiment_ids: ['0'] }],
  ['POST', 'runs/create', { experiment_id: '0', run_name: 'n', start_time: 1, tags: [{ key: 'k', value: 'v' }] }],
  ['POST', 'runs/update', { run_id, status: 'RUNNING', end_time: 5, run_name: 'r' }],
  ['POST', 'runs/search', { experiment_ids: ['0'], filter: 'metrics.a > 1', order_by: ['metrics.a DESC'], max_results: 5, run_view_type: 'ALL' }],
  ['POST', 'runs/log-metric', { run_id, key: 'm', value: 1.5, timestamp: 1, step: 1, model_id, dataset_name: 'd', dataset_digest: 'x' }],
  ['POST', 'runs/log-parameter', { run_id, key: 'p', value: 'v' }],
  ['POST', 'runs/set-tag', { run_id, key: 't', value: 'v' }],
  ['POST', 'runs/delete-tag', { run_id, key: 't' }],
  [
    'POST',
    'runs/log-batch',
    { run_id, metrics: [{ key: 'b', value: 1, timestamp: 1, step: 0 }], params: [{ key: 'q', value: 'v' }], tags: [{ key: 'u', value: 'v' }] },
  ],
  [
    'POST',
    'runs/log-inputs',
    {
      run_id,
      datasets: [{ dataset: { name: 'd', digest: 'x', source_type: 'local', source: '{}', schema: '{}', profile: '{}' }, tags: [{ key: 'k', value: 'v' }] }],
      models: [{ model_id }],
    },
  ],
  ['POST', 'runs/log-model', { run_id, model_json: JSON.stringify({ artifact_path: 'model', flavors: { onnx: {} }, run_id, utc_time_created: 'now' }) }],
  ['POST', 'runs/outputs', { run_id, models: [{ model_id, step: 0 }] }],
  [
    'POST',
    'logged-models',
    { experiment_id: '0', name: 'm', model_type: 't', source_run_id: run_id, params: [{ key: 'p', value: 'v' }], tags: [{ key: 'k', value: 'v' }] },
  ],
  ['PATCH', `logged-models/${model_id}`, { model_id, status: 'LOGGED_MODEL_READY' }],
  ['PATCH', `logged-models/${model_id}/tags`, { tags: [{ key: 'k', value: 'v' }] }],
  ['POST', `logged-models/${model_id}/params`, { params: [{ key: 'k', value: 'v' }] }],
  [
    'POST',
    'logged-models/search',
    {
      experiment_ids: ['0'],
      filter: "name = 'm'",
      datasets: [{ dataset_name: 'd', dataset_digest: 'x' }],
      order_by: [{ field_name: 'metrics.a', ascending: true }],
    },
  ],
  ['POST', 'artifacts/presigned-upload-url', { run_id, path: 'a/b', expiration: 60 }],
  ['POST', '/api/2.0/mlflow-artifacts/mpu/create/0/x', { path: 'big.bin', num_parts: 2 }],
  ['POST', '/api/2.0/mlflow-artifacts/mpu/complete/0/x', { path: 'big.bin', upload_id: 'u', parts: [{ part_number: 1, etag: 'e' }] }],
  ['POST', '/api/2.0/mlflow-artifacts/mpu/abort/0/x', { path: 'big.bin', upload_id: 'u' }],
]

test('no body, however it is changed, is answered as a fault of the server, and the next good one is served', async () => {
  for (const [method, path, valid] of entries()) {
    await fc.assert(
      fc.asyncProperty(mutatedJson(valid), async (text) => void (await sendText(method, path, text))),
      { ...SEED, numRuns: 15 },
    )
    await stillServes()
  }
})

const name = fc.oneof(
  fc.constantFrom(
    'metrics.a',
    'params.a',
    'tags.a',
    'tags.`a b`',
    'run_id',
    'start_time',
    'end_time',
    'status',
    'dataset.name',
    'dataset.context',
    'attributes.run_name',
  ),
  fc.constantFrom('name', 'creation_time', 'last_update_time', 'attributes.model_type', 'params."x y"', 'attributes.creation_timestamp', 'metrics.`"`'),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((key) => `tags.\`${key}\``),
)
const comparator = fc.constantFrom('=', '!=', '>', '>=', '<', '<=', 'LIKE', 'ilike', 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL')
const quoted = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `'${text.replaceAll("'", '')}'`),
  fc.constantFrom("'\\'", "'%'", "'_%\\_'", "'\ud800'", "''", "''''", '"\'"', "'%a%a%a%a%a%a%a%a%b'"),
)
const value = fc.oneof(
  quoted,
  fc.double().map(String),
  fc.constantFrom('1e308', '-1e-400', '99999999999999999999', '1.', '-.5', '0.1e309'),
  fc.array(quoted, { maxLength: 4 }).map((list) => `(${list.join(',')})`),
  fc.constant(''),
)
const comparison = fc.tuple(name, comparator, value).map((parts) => parts.join(' '))
const filter = fc.array(comparison, { minLength: 1, maxLength: 3 }).map((list) => list.join(' AND '))
const orderBy = fc.uniqueArray(
  fc.tuple(name, fc.constantFrom('', ' ASC', ' desc', ' DESC NULLS FIRST', ';')).map((parts) => parts.join('')),
  { maxLength: 4 },
)
const searches = ['runs/search', 'experiments/search', 'logged-models/search'] as const

test('whatever filter or order is accepted runs on the database', async () => {
  const seen = new Map<string, number>()
  const property = fc.asyncProperty(fc.constantFrom(...searches), filter, orderBy, async (path, text, order) => {
    const order_by = path === 'logged-models/search' ? order.map((field_name) => ({ field_name })) : order
    const without = await sendText('POST', path, JSON.stringify({ experiment_ids: ['0'], max_results: 3, filter: text }))
    const ordered = await sendText('POST', path, JSON.stringify({ experiment_ids: ['0'], max_results: 3, order_by }))
    for (const status of [without, ordered]) seen.set(`${path} ${status}`, (seen.get(`${path} ${status}`) ?? 0) + 1)
  })
  await fc.assert(property, { ...SEED, numRuns: 180 })
  for (const path of searches) expect([path, (seen.get(`${path} 200`) ?? 0) > 5, (seen.get(`${path} 400`) ?? 0) > 5]).toEqual([path, true, true])
})

test('a value is found by the filter that quotes it, and by no other', async () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constantFrom("it's", 'say "x"', '%', '_', '\\', "a' OR '1'='1", '50%_\\', '--', ';'))
  const property = fc.asyncProperty(text, async (written) => {
    const stored = written.replaceAll('\0', '')
    const quote = stored.includes("'") ? '"' : "'"
    fc.pre(!stored.includes(quote))
    await call('POST', 'runs/set-tag', { body: { run_id, key: 'quoted', value: stored } })
    const found = async (filter: string) => (await call('POST', 'runs/search', { body: { experiment_ids: ['0'], filter } })).text('runs', 0, 'info', 'run_id')
    expect(await found(`tags.quoted = ${quote}${stored}${quote}`)).toBe(run_id)
    expect(await found(`tags.quoted != ${quote}${stored}${quote}`)).toBe('')
    expect(await found(`tags.quoted = ${quote}${stored}x${quote}`)).toBe('')
  })
  await fc.assert(property, { ...SEED, numRuns: 40 })
})

const part = fc.oneof(
  fc.constantFrom<unknown>(0, 1, 2, -1, 9, 1e308, null, '', 'a', '\u0000', '\ud800', 9007199254740991, 1.5, 'NaN', [], {}),
  fc.string(),
  fc.double(),
)
const token = fc.oneof(
  fc
    .array(part, { maxLength: 6 })
    .map((key) => Buffer.from(JSON.stringify({ key, bound: { experimentIds: '[0]', orderBy: '[]', filter: '' } })).toString('base64url')),
  fc.tuple(fc.constantFrom(0, 1, 2, 9), part, fc.constantFrom(0, 2), part).map((key) => Buffer.from(JSON.stringify({ key })).toString('base64url')),
  fc.integer().map((offset) => Buffer.from(JSON.stringify({ offset })).toString('base64')),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

test('a forged page token is refused, or reads no more than a search would', async () => {
  const property = fc.asyncProperty(token, fc.constantFrom<string[]>([], ['metrics.a'], ['tags.a DESC'], ['end_time']), async (page_token, order_by) => {
    await sendText('POST', 'runs/search', JSON.stringify({ experiment_ids: ['0'], max_results: 3, order_by, page_token }))
    await sendText('POST', 'experiments/search', JSON.stringify({ max_results: 3, page_token }))
    await sendText('POST', 'logged-models/search', JSON.stringify({ experiment_ids: ['0'], page_token }))
    for (const path of [`metrics/get-history?run_id=${run_id}&metric_key=a&max_results=2`, `artifacts/list?run_id=${run_id}`]) {
      expect((await call('GET', `${path}&page_token=${encodeURIComponent(page_token.toWellFormed())}`)).status).toBeLessThan(500)
    }
  })
  await fc.assert(property, { ...SEED, numRuns: 50 })
  await stillServes()
})
