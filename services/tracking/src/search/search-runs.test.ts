import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let experiment = ''
const names = new Map<string, string>()

interface Logged {
  metrics?: Record<string, [value: number | string, timestamp?: number][]>
  params?: Record<string, string>
  tags?: Record<string, string>
  start?: number
}

const entries = (record: Record<string, string> = {}) => Object.entries(record).map(([key, value]) => ({ key, value }))

async function log(name: string, logged: Logged): Promise<void> {
  const created = await call('POST', 'runs/create', { body: { experiment_id: experiment, run_name: name, start_time: logged.start ?? 0 } })
  const runId = created.text('run', 'info', 'run_id')
  names.set(runId, name)
  const metrics = Object.entries(logged.metrics ?? {}).flatMap(([key, points]) => points.map(([value, timestamp = 0]) => ({ key, value, timestamp, step: 0 })))
  const answer = await call('POST', 'runs/log-batch', { body: { run_id: runId, metrics, params: entries(logged.params), tags: entries(logged.tags) } })
  expect(answer.status).toBe(200)
}

async function find(filter: string, orderBy: readonly string[] = []): Promise<string[]> {
  const found: string[] = []
  let token = ''
  do {
    const answer = await call('POST', 'runs/search', { body: { experiment_ids: [experiment], filter, order_by: orderBy, max_results: 2, page_token: token } })
    expect(answer.json, answer.text('message')).not.toHaveProperty('error_code')
    for (let index = 0; answer.text('runs', index, 'info', 'run_id') !== ''; index++) found.push(answer.text('runs', index, 'info', 'run_name'))
    token = answer.text('next_page_token')
  } while (token !== '')
  return found
}

const sorted = async (filter: string): Promise<string[]> => (await find(filter)).sort((left, right) => (left < right ? -1 : 1))

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  experiment = (await call('POST', 'experiments/create', { body: { name: 'search' } })).text('experiment_id')
  await log('one', {
    start: 1,
    metrics: {
      m: [
        [3, 2],
        [4, 8],
        [8, 3],
      ],
      z: [[0]],
    },
    params: { p: '50%', lr: '0.1' },
    tags: { t: 'abc', 'a b': 'x' },
  })
  await log('two', { start: 2, metrics: { m: [['NaN']], z: [['NaN']] }, params: { p: '50 percent', lr: '0.2' }, tags: { t: 'ABC' } })
  await log('three', { start: 3, metrics: { m: [['Infinity']] }, params: { p: 'C++' }, tags: { t: 'abd' } })
  await log('four', { start: 4, metrics: { m: [['-Infinity']] }, tags: { t: '' } })
  await log('five', { start: 5, params: { p: '' } })
})
afterAll(() => tracking.stop())

test.each([
  ['metrics.m > 5', ['three']],
  ['metrics.m = 4', ['one']],
  ['metrics.m <= 4', ['four', 'one']],
  ['metrics.z = 0', ['one']],
  ["params.p = '50%'", ['one']],
  ["params.p LIKE '50%'", ['one', 'two']],
  ["params.p LIKE 'C+%'", ['three']],
  ["params.p = ''", ['five']],
  ["params.lr != '0.1'", ['two']],
  ["tags.t = 'abc'", ['one']],
  ["tags.t ILIKE 'abc'", ['one', 'two']],
  ["tags.t LIKE 'ab_'", ['one', 'three']],
  ['tags.t IS NULL', ['five']],
  ['tags.t IS NOT  NULL', ['four', 'one', 'three', 'two']],
  ["tags.t = 'abc' AND tags.t = 'abd'", []],
  ["tags.`a b` = 'x'", ['one']],
  ['tags."a b" = "x"', ['one']],
  ["run_name = 'two'", ['two']],
  ["`Run name` LIKE 't%'", ['three', 'two']],
  ["attributes.status = 'RUNNING' and attr.start_time >= 4", ['five', 'four']],
  ["status = 'running'", []],
  ['created < 2', ['one']],
  ['end_time > 0', []],
  ["run_id IN ('x', 'y')", []],
  ["params.p = '\\'", []],
])('%s finds %j', async (filter, expected) => {
  expect(await sorted(filter)).toEqual(expected)
})

test('run ids are listed in or out', async () => {
  const ids = [...names].filter(([, name]) => name === 'one' || name === 'two').map(([id]) => `'${id}'`)
  expect(await sorted(`run_id IN (${ids.join(',')})`)).toEqual(['one', 'two'])
  expect(await sorted(`run_id NOT IN (${ids.join(',')})`)).toEqual(['five', 'four', 'three'])
})

test.each([
  [[], ['five', 'four', 'three', 'two', 'one']],
  [['metrics.m'], ['four', 'one', 'three', 'two', 'five']],
  [['metrics.m DESC'], ['three', 'one', 'four', 'two', 'five']],
  [['params.p ASC'], ['five', 'two', 'one', 'three', 'four']],
  [['params.p DESC'], ['three', 'one', 'two', 'five', 'four']],
  [['run_name desc'], ['two', 'three', 'one', 'four', 'five']],
  [
    ['end_time', 'start_time'],
    ['one', 'two', 'three', 'four', 'five'],
  ],
])('ordered by %j, over pages of two, come %j', async (orderBy, expected) => {
  expect(await find('', orderBy)).toEqual(expected)
})

test('an exactly full last page has no token', async () => {
  const answer = await call('POST', 'runs/search', { body: { experiment_ids: [experiment], max_results: 5 } })
  expect(answer.json).not.toHaveProperty('next_page_token')
})

test('no experiment and an unknown one have no runs', async () => {
  expect((await call('POST', 'runs/search', { body: { experiment_ids: [] } })).json).toEqual({})
  expect((await call('POST', 'runs/search', { body: { experiment_ids: ['9999'] } })).json).toEqual({})
})

test('conditions on data sets hold for one of them, and never repeat a run', async () => {
  const [runId = ''] = [...names].find(([, name]) => name === 'one') ?? []
  const set = (name: string, digest: string, context: string) => ({
    dataset: { name, digest, source_type: 'code', source: '{}' },
    tags: [{ key: 'mlflow.data.context', value: context }],
  })
  const body = { run_id: runId, datasets: [set('a', '1', 'training'), set('a', '2', 'test'), set('b', '1', 'test')] }
  expect((await call('POST', 'runs/log-inputs', { body })).status).toBe(200)
  expect(await find("datasets.name = 'a'")).toEqual(['one'])
  expect(await find("dataset.name = 'b' AND dataset.digest = '1'")).toEqual(['one'])
  expect(await find("dataset.name = 'b' AND dataset.digest = '2'")).toEqual([])
  expect(await find("dataset.context = 'test' AND dataset.name = 'a'")).toEqual(['one'])
  expect(await find("dataset.name IN ('a', 'z')")).toEqual(['one'])
})

test('the name is that of the update and of the tag', async () => {
  const [runId = ''] = [...names].find(([, name]) => name === 'four') ?? []
  await call('POST', 'runs/set-tag', { body: { run_id: runId, key: 'mlflow.runName', value: 'fourth' } })
  expect(await find("run_name = 'fourth'")).toEqual(['fourth'])
  await call('POST', 'runs/update', { body: { run_id: runId, run_name: 'four' } })
  expect(await find("tags.mlflow.runName = 'four'")).toEqual(['four'])
})

test('deleted runs are found when asked for', async () => {
  const [runId = ''] = [...names].find(([, name]) => name === 'five') ?? []
  const count = async (view: string | number) => {
    const answer = await call('POST', 'runs/search', { body: { experiment_ids: [experiment], run_view_type: view } })
    return [0, 1, 2, 3, 4, 5].filter((index) => answer.text('runs', index, 'info', 'run_id') !== '').length
  }
  await call('POST', 'runs/delete', { body: { run_id: runId } })
  expect([await count('ACTIVE_ONLY'), await count('DELETED_ONLY'), await count(3)]).toEqual([4, 1, 5])
  await call('POST', 'runs/restore', { body: { run_id: runId } })
  expect(await count(1)).toBe(5)
})
