import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from './testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
})
afterAll(() => tracking.stop())

test('a fresh store has the experiment Default, number 0', async () => {
  const { json } = await call('GET', 'experiments/get?experiment_id=0')
  expect(json).toMatchObject({ experiment: { experiment_id: '0', name: 'Default', lifecycle_stage: 'active', artifact_location: 'mlflow-artifacts:/0' } })
})

test('a run goes from start to end, with all that was logged to it', async () => {
  const experiment = (await call('POST', 'experiments/create', { body: { name: 'first', tags: [{ key: 'team', value: 'a' }] } })).text('experiment_id')
  const created = await call('POST', 'runs/create', { body: { experiment_id: experiment, user_id: 'ada', start_time: 1000, tags: [{ key: 'k', value: 'v' }] } })
  const runId = created.text('run', 'info', 'run_id')
  expect(runId).toMatch(/^[0-9a-f]{32}$/)
  const metrics = [
    { key: 'loss', value: 0.5, timestamp: 1, step: 0 },
    { key: 'loss', value: 'NaN', timestamp: 2, step: 1 },
    { key: 'acc', value: 'Infinity', timestamp: 1, step: 0 },
  ]
  const batch = { run_id: runId, metrics, params: [{ key: 'lr', value: '0.1' }], tags: [{ key: 'mlflow.runName', value: 'named' }] }
  expect(await call('POST', 'runs/log-batch', { body: batch })).toMatchObject({ status: 200, json: {} })
  expect((await call('POST', 'runs/log-batch', { body: batch })).status).toBe(200)
  await call('POST', 'runs/update', { body: { run_id: runId, status: 'FINISHED', end_time: 2000 } })
  const { json } = await call('GET', `runs/get?run_id=${runId}`)
  expect(json).toEqual({
    run: {
      info: {
        run_id: runId,
        run_uuid: runId,
        run_name: 'named',
        experiment_id: experiment,
        user_id: 'ada',
        status: 'FINISHED',
        start_time: 1000,
        end_time: 2000,
        artifact_uri: `mlflow-artifacts:/${experiment}/${runId}/artifacts`,
        lifecycle_stage: 'active',
      },
      data: {
        metrics: [
          { key: 'acc', value: 1.7976931348623157e308, timestamp: 1, step: 0 },
          { key: 'loss', value: 'NaN', timestamp: 2, step: 1 },
        ],
        params: [{ key: 'lr', value: '0.1' }],
        tags: [
          { key: 'k', value: 'v' },
          { key: 'mlflow.runName', value: 'named' },
        ],
      },
      inputs: {},
    },
  })
  const history = await call('GET', `metrics/get-history?run_id=${runId}&metric_key=loss`)
  expect(history.json).toEqual({ metrics: metrics.slice(0, 2) })
})

test('a client learns the version and the kind of store', async () => {
  const version = await fetch(`${tracking.value.url}/version`)
  expect([version.status, await version.text()]).toEqual([200, '3.11.1'])
  expect(await call('GET', '/ajax-api/3.0/mlflow/server-info')).toMatchObject({ status: 200, json: { store_type: 'SqlStore', workspaces_enabled: false } })
})

test('the service is ready as soon as its tables are there', async () => {
  expect((await fetch(`${tracking.value.url}/ready`)).status).toBe(200)
})
