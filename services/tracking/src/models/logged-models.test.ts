import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let experiment = ''
let runId = ''
const ids = new Map<string, string>()

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  experiment = (await call('POST', 'experiments/create', { body: { name: 'models' } })).text('experiment_id')
  runId = (await call('POST', 'runs/create', { body: { experiment_id: experiment } })).text('run', 'info', 'run_id')
  for (const [name, accuracy, dataset] of [
    ['first', 0.7, 'train'],
    ['second', 0.9, 'train'],
    ['third', 0.8, 'test'],
  ] as const) {
    const body = { experiment_id: experiment, name, source_run_id: runId, params: [{ key: 'depth', value: name }], tags: [{ key: 'kind', value: 'tree' }] }
    const modelId = (await call('POST', 'logged-models', { body })).text('model', 'info', 'model_id')
    ids.set(name, modelId)
    const metric = { key: 'acc', value: accuracy, timestamp: 1, step: 0, model_id: modelId, dataset_name: dataset, dataset_digest: 'd' }
    expect((await call('POST', 'runs/log-batch', { body: { run_id: runId, metrics: [metric] } })).status).toBe(200)
    tracking.value.clock.advance(1000)
  }
})
afterAll(() => tracking.stop())

const idOf = (name: string): string => ids.get(name) ?? ''
const path = (name: string, rest = ''): string => `logged-models/${idOf(name)}${rest}`

async function find(search: object): Promise<string[]> {
  const names: string[] = []
  let token = ''
  do {
    const answer = await call('POST', 'logged-models/search', { body: { experiment_ids: [experiment], max_results: 2, page_token: token, ...search } })
    expect(answer.status, answer.text('message')).toBe(200)
    for (let index = 0; answer.text('models', index, 'info', 'name') !== ''; index++) names.push(answer.text('models', index, 'info', 'name'))
    token = answer.text('next_page_token')
  } while (token !== '')
  return names
}

test('a logged model is pending until its files are there', async () => {
  const { json } = await call('GET', path('first'))
  expect(json).toMatchObject({
    model: {
      info: {
        model_id: expect.stringMatching(/^m-[0-9a-f]{32}$/),
        experiment_id: experiment,
        name: 'first',
        status: 'LOGGED_MODEL_PENDING',
        model_type: '',
        source_run_id: runId,
        artifact_uri: `mlflow-artifacts:/${experiment}/models/${idOf('first')}/artifacts`,
        tags: [{ key: 'kind', value: 'tree' }],
      },
      data: {
        params: [{ key: 'depth', value: 'first' }],
        metrics: [{ key: 'acc', value: 0.7, timestamp: 1, step: 0, model_id: idOf('first'), run_id: runId, dataset_name: 'train', dataset_digest: 'd' }],
      },
    },
  })
  const finalized = await call('PATCH', path('first'), { body: { model_id: idOf('first'), status: 'LOGGED_MODEL_READY' } })
  expect(finalized.text('model', 'info', 'status')).toBe('LOGGED_MODEL_READY')
  expect((await call('PATCH', path('first'), { body: {} })).text('message')).toContain("Missing value for required parameter 'status'")
})

test.each([
  [{ filter: "name = 'second'" }, ['second']],
  [{ filter: "name IN ('first', 'third',)" }, ['third', 'first']],
  [{ filter: "attributes.model_id LIKE 'm-%' AND tags.kind = 'tree'" }, ['third', 'second', 'first']],
  [{ filter: "params.depth = 'first'" }, ['first']],
  [{ filter: 'metrics.acc > 0.75' }, ['third', 'second']],
  [{ filter: 'metrics.acc > 0.75', datasets: [{ dataset_name: 'train' }] }, ['second']],
  [{ datasets: [{ dataset_name: 'test', dataset_digest: 'd' }] }, ['third']],
  [{ datasets: [{ dataset_name: 'test', dataset_digest: 'other' }] }, []],
  [{ order_by: [{ field_name: 'metrics.acc', ascending: false }] }, ['second', 'third', 'first']],
  [{ order_by: [{ field_name: 'metrics.acc', dataset_name: 'train' }] }, ['first', 'second', 'third']],
  [{ order_by: [{ field_name: 'attributes.name', ascending: true }] }, ['first', 'second', 'third']],
  [{ filter: "status = 'LOGGED_MODEL_READY'" }, ['first']],
])('the search %j finds %j', async (search, expected) => {
  expect(await find(search)).toEqual(expected)
})

test('a token goes on with its own search alone', async () => {
  const search = async (body: object) => call('POST', 'logged-models/search', { body: { experiment_ids: [experiment], max_results: 1, ...body } })
  const page_token = (await search({})).text('next_page_token')
  expect((await search({ page_token, experiment_ids: ['0'] })).text('message')).toMatch(/^Experiment IDs in the page token do not match/)
  expect((await search({ page_token, filter: "name = 'a'" })).text('message')).toMatch(/^Filter string in the page token does not match/)
  expect((await search({ page_token, order_by: [{ field_name: 'creation_timestamp' }] })).text('message')).toMatch(/^Order by in the page token does not match/)
})

test('tags are set and removed; registrations are kept as a set', async () => {
  const tags = [
    { key: 'a', value: '1' },
    { key: 'mlflow.modelVersions', value: '[{"name":"RM","version":1},{"name":"RM","version":"1"}]' },
  ]
  expect(await call('PATCH', path('second', '/tags'), { body: { tags } })).toMatchObject({ status: 200, json: {} })
  expect((await call('GET', path('second'))).json).toMatchObject({ model: { info: { registrations: [{ name: 'RM', version: '1' }] } } })
  expect((await call('DELETE', path('second', '/tags/a'))).status).toBe(200)
  expect((await call('DELETE', path('second', '/tags/a'))).text('message')).toBe(`No tag with key 'a' found for model with ID '${idOf('second')}'.`)
})

test('a run names what it wrote once per model', async () => {
  const outputs = (step: number) => call('POST', 'runs/outputs', { body: { run_id: runId, models: [{ model_id: idOf('first'), step }] } })
  await outputs(0)
  expect((await outputs(7)).status).toBe(200)
  await call('POST', 'runs/log-inputs', { body: { run_id: runId, models: [{ model_id: idOf('third') }] } })
  expect((await call('GET', `runs/get?run_id=${runId}`)).json).toMatchObject({
    run: { inputs: { model_inputs: [{ model_id: idOf('third') }] }, outputs: { model_outputs: [{ model_id: idOf('first'), step: 0 }] } },
  })
})

test('a deleted model is gone unless deleted ones are asked for', async () => {
  const body = { experiment_id: experiment, name: 'gone' }
  const modelId = (await call('POST', 'logged-models', { body })).text('model', 'info', 'model_id')
  expect((await call('DELETE', `logged-models/${modelId}`)).status).toBe(200)
  expect((await call('GET', `logged-models/${modelId}`)).text('message')).toBe(`Logged model with ID '${modelId}' not found.`)
  expect((await call('GET', `logged-models/${modelId}?allow_deleted=True`)).text('model', 'info', 'name')).toBe('gone')
  expect(await find({ filter: "name = 'gone'" })).toEqual([])
})
