import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let experiment = ''
const ids = new Map<string, string>()
const idOf = (name: string): string => ids.get(name) ?? ''

interface Logged {
  params?: Record<string, string>
  metrics?: Record<string, number | string>
  tags?: Record<string, string>
  start?: number
}

const pairs = (record: Record<string, string> = {}) => Object.entries(record).map(([key, value]) => ({ key, value }))

async function log(name: string, { params, metrics = {}, tags, start = 0 }: Logged): Promise<void> {
  const created = await call('POST', 'runs/create', { body: { experiment_id: experiment, run_name: name, start_time: start, user_id: 'ada' } })
  const run_id = created.text('run', 'info', 'run_id')
  ids.set(name, run_id)
  const points = Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp: 1, step: 2 }))
  expect((await call('POST', 'runs/log-batch', { body: { run_id, params: pairs(params), tags: pairs(tags), metrics: points } })).status).toBe(200)
}

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  experiment = (await call('POST', 'experiments/create', { body: { name: 'compare' } })).text('experiment_id')
  await log('one', { params: { lr: '0.1', depth: '3' }, metrics: { acc: 0.9, loss: 0.3 }, tags: { team: 'a', 'mlflow.note': 'x' }, start: 20 })
  await log('two', { params: { lr: '0.2', depth: '3', note: '=1+1' }, metrics: { acc: 'NaN' }, start: 30 })
  await log('three', { params: { depth: '3' }, metrics: { acc: 0.9, loss: 0.1 }, start: 10 })
  await log('gone', { metrics: { acc: 7 } })
  await call('POST', 'runs/delete', { body: { run_id: idOf('gone') } })
})
afterAll(() => tracking.stop())

const compare = (names: readonly string[], rest = '', headers = {}) =>
  call('GET', `/api/v1/runs/compare?run_ids=${names.map((name) => ids.get(name) ?? name).join(',')}${rest}`, { headers })

test('runs stand side by side in the order in which they were named', async () => {
  const answer = await compare(['two', 'one'])
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({
    runs: [
      { runId: idOf('two'), runName: 'two', experimentId: experiment, user: 'ada', status: 'RUNNING', startTime: 30, endTime: null },
      { runId: idOf('one'), runName: 'one' },
    ],
    params: [
      { key: 'depth', values: ['3', '3'], differs: false },
      { key: 'lr', values: ['0.2', '0.1'], differs: true },
      { key: 'note', values: ['=1+1', null], differs: true },
    ],
    metrics: [
      { key: 'acc', values: ['NaN', 0.9], differs: true },
      { key: 'loss', values: [null, 0.3], differs: true },
    ],
    tags: [{ key: 'team', values: [null, 'a'], differs: true }],
    missing: [
      { runId: idOf('two'), params: [], metrics: ['loss'], tags: ['team'] },
      { runId: idOf('one'), params: ['note'], metrics: [], tags: [] },
    ],
  })
})

test('as CSV a formula that somebody logged is text, and it is told which run lacks what', async () => {
  const [one, two] = [idOf('one'), idOf('two')]
  const expected = [
    `kind,key,differs,missing_in,${two},${one}`,
    'run,name,true,,two,one',
    'run,status,false,,RUNNING,RUNNING',
    'run,start_time,true,,30,20',
    'param,depth,false,,3,3',
    'param,lr,true,,0.2,0.1',
    `param,note,true,${one},'=1+1,`,
    'metric,acc,true,,NaN,0.9',
    `metric,loss,true,${two},,0.3`,
    `tag,team,true,${two},,a`,
    '',
  ].join('\r\n')
  for (const answer of [await compare(['two', 'one'], '&format=csv'), await compare(['two', 'one'], '', { accept: 'text/csv' })]) {
    expect(answer.bytes.toString()).toBe(expected)
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment/)
  }
  expect((await compare(['two', 'one'], '&format=json', { accept: 'text/csv' })).headers.get('content-type')).toContain('json')
})

test('a run that is named twice is compared once; one that is not there is told', async () => {
  expect((await compare(['one', 'one'])).text('runs', 1, 'runId')).toBe('')
  expect(await compare(['one', 'nothing'])).toMatchObject({ status: 404, json: { detail: 'Run with id=nothing not found' } })
  expect((await compare([])).status).toBe(400)
  expect((await compare(Array.from({ length: 101 }, (_, index) => `r${index}`))).status).toBe(400)
  expect((await compare(['one'], '&format=xml')).status).toBe(400)
})

const best = (query: string, id = experiment) => call('GET', `/api/v1/experiments/${id}/best?${query}`)
const names = (answer: Awaited<ReturnType<typeof best>>) => [0, 1, 2, 3].map((index) => answer.text('runs', index, 'runName')).filter((name) => name !== '')

test.each([
  ['metric=acc', ['three']],
  ['metric=acc&limit=10', ['three', 'one']],
  ['metric=acc&mode=min&limit=10', ['three', 'one']],
  ['metric=loss&mode=min&limit=2', ['three', 'one']],
  ['metric=loss&mode=max', ['one']],
  [`metric=acc&filter=${encodeURIComponent("params.lr = '0.1'")}`, ['one']],
  ['metric=nothing', []],
])('the best by %s are %j: never NaN, never deleted, the earliest of equal ones', async (query, expected) => {
  const answer = await best(query)
  expect(answer.status, answer.text('detail')).toBe(200)
  expect(names(answer)).toEqual(expected)
})

test('the best run comes with its rank, value and params', async () => {
  expect((await best('metric=loss&mode=min')).json).toMatchObject({
    experimentId: experiment,
    metric: 'loss',
    mode: 'min',
    runs: [{ rank: 1, runId: idOf('three'), value: 0.1, step: 2, timestamp: 1, params: { depth: '3' } }],
  })
})

test('a bad question about the best is answered with what was expected', async () => {
  expect((await best('mode=max')).status).toBe(400)
  expect((await best('metric=acc&mode=best')).status).toBe(400)
  expect((await best('metric=acc&limit=0')).json).toMatchObject({ detail: 'Invalid limit 0: expected 1 to 1000' })
  expect((await best('metric=acc&filter=nonsense')).status).toBe(400)
  expect((await best('metric=acc', '9999')).status).toBe(404)
  expect((await best('metric=acc', 'abc')).status).toBe(400)
})
