import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from './testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
})
afterAll(() => tracking.stop())

const start = async (experiment = '0') => (await call('POST', 'runs/create', { body: { experiment_id: experiment } })).text('run', 'info', 'run_id')
const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => work(index)))

test('of clients that make one experiment at once, one makes it and the others are told', async () => {
  const answers = await times(5, () => call('POST', 'experiments/create', { body: { name: 'same' } }))
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
  expect(answers.filter((answer) => answer.text('error_code') === 'RESOURCE_ALREADY_EXISTS')).toHaveLength(4)
})

test('of clients that log one param differently, the first stands', async () => {
  const runId = await start()
  const answers = await times(5, (index) => call('POST', 'runs/log-parameter', { body: { run_id: runId, key: 'p', value: String(index) } }))
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
  expect(answers.filter((answer) => answer.text('message').startsWith('Changing param values is not allowed.'))).toHaveLength(4)
})

test('the latest point is the greatest, whatever order points arrive in, and repeats are kept once', async () => {
  const runId = await start()
  const log = (step: number) => call('POST', 'runs/log-metric', { body: { run_id: runId, key: 'm', value: -step, timestamp: 100 - step, step } })
  await Promise.all([7, 3, 9, 1, 9, 4].map(log))
  const run = await call('GET', `runs/get?run_id=${runId}`)
  expect(run.json).toMatchObject({ run: { data: { metrics: [{ key: 'm', value: -9, timestamp: 91, step: 9 }] } } })
  const history = await call('GET', `metrics/get-history?run_id=${runId}&metric_key=m`)
  expect([0, 1, 2, 3, 4, 5].map((index) => history.text('metrics', index, 'step'))).toEqual(['9', '7', '4', '3', '1', ''])
})

test('a history comes in pages that meet without a gap or a repeat', async () => {
  const runId = await start()
  const metrics = Array.from({ length: 10 }, (_, index) => ({
    key: 'm',
    value: index === 4 ? 'NaN' : index % 3,
    timestamp: Math.floor(index / 4),
    step: index % 2,
  }))
  await call('POST', 'runs/log-batch', { body: { run_id: runId, metrics } })
  const whole = (await call('GET', `metrics/get-history?run_id=${runId}&metric_key=m`)).json
  const seen: unknown[] = []
  let token = ''
  do {
    const page = await call('GET', `metrics/get-history?run_id=${runId}&metric_key=m&max_results=3&page_token=${token}`)
    for (let index = 0; page.text('metrics', index, 'key') !== ''; index++) seen.push(Reflect.get(Object(page.json), 'metrics')[index])
    token = page.text('next_page_token')
  } while (token !== '')
  expect({ metrics: seen }).toEqual(whole)
})

test('deleting an experiment takes its runs along, restoring brings back all of them', async () => {
  const experiment = (await call('POST', 'experiments/create', { body: { name: 'e' } })).text('experiment_id')
  const runs = await times(3, () => start(experiment))
  await call('POST', 'runs/delete', { body: { run_id: runs[0] } })
  const stages = () => Promise.all(runs.map(async (run) => (await call('GET', `runs/get?run_id=${run}`)).text('run', 'info', 'lifecycle_stage')))
  expect((await call('POST', 'experiments/delete', { body: { experiment_id: experiment } })).status).toBe(200)
  expect((await call('POST', 'experiments/delete', { body: { experiment_id: experiment } })).status).toBe(404)
  expect(await stages()).toEqual(['deleted', 'deleted', 'deleted'])
  expect((await call('POST', 'runs/create', { body: { experiment_id: experiment } })).text('message')).toContain("must be in the 'active' state")
  expect((await call('POST', 'experiments/restore', { body: { experiment_id: experiment } })).status).toBe(200)
  expect((await call('POST', 'experiments/restore', { body: { experiment_id: experiment } })).status).toBe(404)
  expect(await stages()).toEqual(['active', 'active', 'active'])
})
