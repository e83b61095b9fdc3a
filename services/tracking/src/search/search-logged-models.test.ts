import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let experiment = ''
let runId = ''
const ids = new Map<string, string>()

const models = [
  { name: 'tree', model_type: 'sklearn', depth: '3', kind: '50%', acc: 0.7, dataset: 'train' },
  { name: 'Forest', model_type: 'sklearn', depth: '30', kind: '50 percent', acc: 'NaN', dataset: 'train' },
  { name: 'net', model_type: 'onnx', depth: '', kind: 'deep', acc: 0.9, dataset: 'test' },
  { name: 'bare', model_type: '', depth: null, kind: null, acc: null, dataset: '' },
] as const

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  experiment = (await call('POST', 'experiments/create', { body: { name: 'models' } })).text('experiment_id')
  runId = (await call('POST', 'runs/create', { body: { experiment_id: experiment } })).text('run', 'info', 'run_id')
  for (const { name, model_type, depth, kind, acc, dataset } of models) {
    const pair = (key: string, value: string | null) => (value === null ? [] : [{ key, value }])
    const body = { experiment_id: experiment, name, model_type, params: pair('depth', depth), tags: pair('a kind', kind) }
    const source = name === 'bare' ? {} : { source_run_id: runId }
    const model_id = (await call('POST', 'logged-models', { body: { ...body, ...source } })).text('model', 'info', 'model_id')
    ids.set(name, model_id)
    const metric = { run_id: runId, key: 'acc', value: acc, timestamp: 1, model_id, dataset_name: dataset, dataset_digest: 'd' }
    if (acc !== null) expect((await call('POST', 'runs/log-metric', { body: metric })).status).toBe(200)
    tracking.value.clock.advance(1000)
  }
  await call('PATCH', `logged-models/${ids.get('net')}`, { body: { status: 'LOGGED_MODEL_READY' } })
})
afterAll(() => tracking.stop())

const search = (body: object) => call('POST', 'logged-models/search', { body: { experiment_ids: [experiment], ...body } })

async function find(body: object): Promise<string[]> {
  const names: string[] = []
  let token = ''
  do {
    const answer = await search({ max_results: 2, page_token: token, ...body })
    expect(answer.status, answer.text('message')).toBe(200)
    names.push(...[0, 1].map((index) => answer.text('models', index, 'info', 'name')).filter((name) => name !== ''))
    token = answer.text('next_page_token')
  } while (token !== '')
  return names
}

test.each([
  ["name = 'tree'", ['tree']],
  ["name != 'tree'", ['bare', 'net', 'Forest']],
  ["attributes.name LIKE '%ree'", ['tree']],
  ["name ILIKE 'FOREST'", ['Forest']],
  ["name IN ('tree', 'net')", ['net', 'tree']],
  ["name NOT IN ('tree', 'net')", ['bare', 'Forest']],
  ["model_type = 'sklearn' AND name LIKE 'F%'", ['Forest']],
  ["status = 'LOGGED_MODEL_READY'", ['net']],
  ["status != 'LOGGED_MODEL_READY'", ['bare', 'Forest', 'tree']],
  ["source_run_id = ''", ['bare']],
  ["experiment_id != '0'", ['bare', 'net', 'Forest', 'tree']],
  ['creation_timestamp > 0 AND creation_timestamp_ms > 0 AND creation_time > 0', ['bare', 'net', 'Forest', 'tree']],
  ['last_updated_timestamp <= 0', []],
  ['metrics.acc > 0', ['net', 'tree']],
  ['metrics.acc != 0.7', ['net']],
  ["params.depth = '3'", ['tree']],
  ["params.depth LIKE '3%'", ['Forest', 'tree']],
  ["params.depth IN ('', '30')", ['net', 'Forest']],
  ["params.depth != '3'", ['net', 'Forest']],
  ["tags.`a kind` = '50%'", ['tree']],
  ["tags.`a kind` LIKE '50%'", ['Forest', 'tree']],
  ['tags."a kind" NOT IN ("deep")', ['Forest', 'tree']],
])('%s finds %j, newest first, over pages of two', async (filter, expected) => {
  expect(await find({ filter })).toEqual(expected)
})

test.each([
  [[{ field_name: 'name' }], ['Forest', 'bare', 'net', 'tree']],
  [[{ field_name: 'attributes.name', ascending: false }], ['tree', 'net', 'bare', 'Forest']],
  [
    [{ field_name: 'model_type' }, { field_name: 'name' }],
    ['bare', 'net', 'Forest', 'tree'],
  ],
  [[{ field_name: 'creation_time', ascending: true }], ['tree', 'Forest', 'net', 'bare']],
  [[{ field_name: 'metrics.acc' }], ['tree', 'net', 'Forest', 'bare']],
  [[{ field_name: 'metrics.acc', ascending: false }], ['net', 'tree', 'Forest', 'bare']],
])('ordered by %j come %j: NaN after all numbers, what lacks it last', async (order_by, expected) => {
  expect(await find({ order_by })).toEqual(expected)
})

test.each([
  [{ datasets: [{ dataset_name: 'train' }] }, ['Forest', 'tree']],
  [{ datasets: [{ dataset_name: 'train' }, { dataset_name: 'test', dataset_digest: 'd' }] }, ['net', 'Forest', 'tree']],
  [{ datasets: [{ dataset_name: 'train' }], filter: 'metrics.acc > 0' }, ['tree']],
])('%j is limited to what was measured there: %j', async (body, expected) => {
  expect(await find(body)).toEqual(expected)
})

test.each([
  [{ filter: "attribute.name = 'x'" }, "Invalid entity type 'attribute'"],
  [{ filter: "metric.acc = 'x'" }, "Invalid entity type 'metric'"],
  [{ filter: "creation_time > '1'" }, 'Expected numeric value type'],
  [{ filter: "name > 'x'" }, "Invalid comparator '>'"],
  [{ filter: 'params.depth IS NULL' }, "Invalid comparator 'IS NULL'"],
  [{ filter: "lifecycle_stage = 'active'" }, "Invalid attribute key 'lifecycle_stage'"],
  [{ datasets: [{ dataset_digest: 'd' }] }, '`dataset_name` in the `datasets` clause must be specified.'],
  [{ order_by: [{ field_name: 'bogus' }] }, 'Invalid order by field name: bogus'],
  [{ order_by: [{ field_name: 'params.depth' }] }, 'Invalid order by field name: params.depth. Only metrics are supported.'],
  [{ order_by: [{}] }, "Missing value for required parameter 'order_by[0].field_name'"],
  [{ max_results: 0 }, 'It must be a positive integer'],
  [{ page_token: 'x' }, 'Invalid page token'],
  [{ experiment_ids: ['x'] }, "Invalid experiment ID 'x'"],
])('%j is refused with %j', async (body, message) => {
  const answer = await search(body)
  expect([answer.status, answer.text('error_code')]).toEqual([400, 'INVALID_PARAMETER_VALUE'])
  expect(answer.text('message')).toContain(message)
})
