import { runFinished, runStarted } from '@millrace/contracts/events/run-events.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from './testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
})
afterAll(() => tracking.stop())

const start = async (body: object = {}, headers: Record<string, string> = {}) =>
  (await call('POST', 'runs/create', { body: { experiment_id: '0', user_id: 'ada', start_time: 1000, ...body }, headers })).text('run', 'info', 'run_id')
const update = (runId: string, body: object) => call('POST', 'runs/update', { body: { run_id: runId, ...body } })
const finishedOf = async (runId: string) =>
  (await tracking.value.published('run.finished')).map((data) => runFinished.data.parse(data)).filter((data) => data.runId === runId)

test('a new run is announced with its tags', async () => {
  const runId = await start({ run_name: 'a', tags: [{ key: 'millrace.register', value: 'fish' }] })
  const events = (await tracking.value.published('run.started')).map((data) => runStarted.data.parse(data))
  expect(events.find((event) => event.runId === runId)).toEqual({
    runId,
    experimentId: '0',
    runName: 'a',
    user: 'ada',
    startTime: '1970-01-01T00:00:01.000Z',
    tags: { 'millrace.register': 'fish', 'mlflow.runName': 'a' },
  })
})

test('a run that finishes is announced with all that was logged', async () => {
  const runId = await start({ run_name: 'b', tags: [{ key: 'millrace.register', value: 'fish' }] })
  const modelId = (await call('POST', 'logged-models', { body: { experiment_id: '0', name: 'm', source_run_id: runId } })).text('model', 'info', 'model_id')
  await call('POST', 'runs/outputs', { body: { run_id: runId, models: [{ model_id: modelId, step: 3 }] } })
  const dataset = { name: 'd', digest: 'x', source_type: 'code', source: '{}' }
  await call('POST', 'runs/log-inputs', { body: { run_id: runId, datasets: [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] }] } })
  const metrics = [
    { key: 'acc', value: 0.5, timestamp: 1, step: 0 },
    { key: 'acc', value: 0.9, timestamp: 2, step: 1 },
    { key: 'nan', value: 'NaN', timestamp: 1, step: 0 },
  ]
  await call('POST', 'runs/log-batch', { body: { run_id: runId, metrics, params: [{ key: 'lr', value: '0.1' }] } })
  await update(runId, { status: 'FINISHED', end_time: 2000 })
  expect(await finishedOf(runId)).toEqual([
    {
      runId,
      experimentId: '0',
      runName: 'b',
      user: 'ada',
      status: 'FINISHED',
      startTime: '1970-01-01T00:00:01.000Z',
      endTime: '1970-01-01T00:00:02.000Z',
      artifactUri: `mlflow-artifacts:/0/${runId}/artifacts`,
      tags: { 'millrace.register': 'fish', 'mlflow.runName': 'b' },
      params: { lr: '0.1' },
      metrics: { acc: 0.9 },
      datasets: [{ name: 'd', digest: 'x', context: 'training', sourceType: 'code', source: '{}' }],
      outputs: [{ modelId, step: 3 }],
    },
  ])
})

test('only a change to an end is announced: a retry is not, a resumed run is again', async () => {
  const runId = await start()
  await update(runId, { status: 'RUNNING' })
  await update(runId, { run_name: 'other' })
  expect(await finishedOf(runId)).toEqual([])
  await update(runId, { status: 'FAILED', end_time: 5 })
  await update(runId, { status: 'FAILED', end_time: 5 })
  await update(runId, { status: 4 })
  expect((await finishedOf(runId)).map((event) => event.status)).toEqual(['FAILED'])
  await update(runId, { status: 'RUNNING' })
  await Promise.all([update(runId, { status: 'FINISHED' }), update(runId, { status: 'FINISHED' })])
  expect((await finishedOf(runId)).map((event) => event.status)).toEqual(['FAILED', 'FINISHED'])
})

test('a run with times that no calendar has still finishes', async () => {
  const runId = await start({ start_time: Number.MAX_SAFE_INTEGER })
  expect((await update(runId, { status: 'FINISHED', end_time: -5 })).status).toBe(200)
  expect(await finishedOf(runId)).toMatchObject([{ startTime: '9999-12-31T23:59:59.999Z', endTime: '1970-01-01T00:00:00.000Z' }])
})

test('a creation that is repeated with its key makes one run', async () => {
  const headers = { 'idempotency-key': 'job-1' }
  const runId = await start({ run_name: 'once' }, headers)
  expect(await start({ run_name: 'once' }, headers)).toBe(runId)
  expect((await tracking.value.published('run.started')).filter((data) => runStarted.data.parse(data).runName === 'once')).toHaveLength(1)
})
