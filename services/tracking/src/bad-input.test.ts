import { afterAll, beforeAll, expect, test } from 'vitest'
import { INVALID_PATH } from './domain/artifact-path.ts'
import { type RunningTracking, startTracking } from './testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let runId = ''
let deletedRun = ''
let deletedExperiment = ''

const docs = 'See the API docs for more information about request parameters.'
const create = async (body: object): Promise<string> => (await call('POST', 'runs/create', { body })).text('run', 'info', 'run_id')

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  runId = await create({ experiment_id: '0', run_name: 'a' })
  deletedRun = await create({ experiment_id: '0' })
  await call('POST', 'runs/delete', { body: { run_id: deletedRun } })
  await call('POST', 'runs/log-parameter', { body: { run_id: runId, key: 'lr', value: '0.1' } })
  deletedExperiment = (await call('POST', 'experiments/create', { body: { name: 'gone' } })).text('experiment_id')
  await call('POST', 'experiments/delete', { body: { experiment_id: deletedExperiment } })
})
afterAll(() => tracking.stop())

const IPV = 'INVALID_PARAMETER_VALUE'
const RDNE = 'RESOURCE_DOES_NOT_EXIST'
const R = '<run>'
const E = '<experiment>'
const D = '<deleted>'

/** Bodies name the runs of this file by a sign, since their ids are made when it runs. */
const fill = (body: object): unknown =>
  JSON.parse(JSON.stringify(body).replaceAll(`"${R}"`, `"${runId}"`).replaceAll(`"${D}"`, `"${deletedRun}"`).replaceAll(`"${E}"`, `"${deletedExperiment}"`))

test.each([
  ['experiments/create', {}, 400, IPV, `Missing value for required parameter 'name'. ${docs}`],
  ['experiments/create', { name: '' }, 400, IPV, `Missing value for required parameter 'name'. ${docs}`],
  ['experiments/create', { name: 123 }, 400, IPV, `Invalid value 123 for parameter 'name' supplied:  Hint: Value was of type 'int'. ${docs}`],
  ['experiments/create', { name: 'x'.repeat(501) }, 400, IPV, "'name' exceeds the maximum length of 500 characters"],
  ['experiments/create', { name: 'Default' }, 400, 'RESOURCE_ALREADY_EXISTS', 'Experiment(name=Default) already exists.'],
  ['experiments/create', { name: 'gone' }, 400, 'RESOURCE_ALREADY_EXISTS', 'Experiment(name=gone) already exists.'],
  ['experiments/create', { name: 'b', artifact_location: 'mlflow-artifacts:/%252e%252e/x' }, 400, IPV, INVALID_PATH],
  ['experiments/update', { experiment_id: E, new_name: 'b' }, 400, IPV, 'Cannot rename a non-active experiment.'],
  ['experiments/delete', { experiment_id: '9999' }, 404, RDNE, 'No Experiment with id=9999 exists'],
  ['experiments/delete', { experiment_id: 'abc' }, 400, IPV, "Invalid experiment ID 'abc'. Experiment ID must be a valid integer."],
  ['experiments/delete-experiment-tag', { experiment_id: '0', key: 'k' }, 404, RDNE, 'No tag with name: k in experiment with id 0'],
  [
    'experiments/set-experiment-tag',
    { experiment_id: '0', key: 'k', value: 'x'.repeat(5001) },
    400,
    IPV,
    "'value' exceeds the maximum length of 5000 characters",
  ],
  ['experiments/search', {}, 400, IPV, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"],
  ['experiments/search', { max_results: 50_001 }, 400, IPV, "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000"],
  ['runs/create', { experiment_id: '9999' }, 404, RDNE, 'No Experiment with id=9999 exists'],
  [
    'runs/create',
    { experiment_id: '0', run_name: 'A', tags: [{ key: 'mlflow.runName', value: 'B' }] },
    400,
    IPV,
    "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='A', mlflow.runName='B').",
  ],
  ['runs/update', { run_id: 'nothing', status: 'FINISHED' }, 404, RDNE, 'Run with id=nothing not found'],
  ['runs/update', {}, 400, IPV, `Missing value for required parameter 'run_id'. ${docs}`],
  ['runs/log-metric', { run_id: 'nothing', key: 'a', value: 1, timestamp: 1 }, 404, RDNE, 'Run with id=nothing not found'],
  ['runs/log-metric', { run_id: D, key: 'a', value: 1, timestamp: 1 }, 400, IPV, "The run <deleted> must be in the 'active' state. Current state is deleted."],
  ['runs/set-tag', { run_id: D, key: 'a', value: 'b' }, 400, IPV, "The run <deleted> must be in the 'active' state. Current state is deleted."],
  ['runs/log-metric', { run_id: R, key: 'a', value: 1 }, 400, IPV, `Missing value for required parameter 'timestamp'. ${docs}`],
  [
    'runs/log-metric',
    { run_id: R, key: 'a', value: true, timestamp: 1 },
    400,
    IPV,
    `Invalid value true for parameter 'value' supplied:  Hint: Value was of type 'bool'. ${docs}`,
  ],
  [
    'runs/log-metric',
    { run_id: R, key: 'a', value: 'foo', timestamp: 1 },
    400,
    IPV,
    `Invalid value "foo" for parameter 'value' supplied:  Hint: Value was of type 'str'. ${docs}`,
  ],
  ['runs/log-metric', { run_id: R, key: 'a', value: 1, timestamp: -1 }, 400, IPV, 'must be an integer ≥ 0, in milliseconds since the epoch'],
  ['runs/log-batch', { run_id: R, metrics: [{ key: 'a', value: 1 }] }, 400, IPV, `Missing value for required parameter 'metrics[0].timestamp'. ${docs}`],
  [
    'runs/log-parameter',
    { run_id: R, key: 'lr', value: '0.2' },
    400,
    IPV,
    "Changing param values is not allowed. Param with key='lr' was already logged with value='0.1' for run ID='<run>'. Attempted logging new value '0.2'.",
  ],
  [
    'runs/log-batch',
    { run_id: R, params: [{ key: 'lr', value: '0.2' }] },
    400,
    IPV,
    "Changing param values is not allowed. Params were already logged='[{'key': 'lr', 'old_value': '0.1', 'new_value': '0.2'}]' for run ID='<run>'.",
  ],
  [
    'runs/log-batch',
    { run_id: R, params: [{ key: 'a/../b', value: '' }] },
    400,
    IPV,
    "Invalid value \"a/../b\" for parameter 'params[0].key' supplied: Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to 'b'",
  ],
  ['runs/delete-tag', { run_id: R, key: 'none' }, 404, RDNE, 'No tag with name: none in run with id <run>'],
  ['runs/search', { experiment_ids: ['abc'] }, 400, IPV, "Invalid experiment ID 'abc'. Experiment ID must be a valid integer."],
  ['runs/search', { experiment_ids: ['0'], max_results: 0 }, 400, IPV, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"],
  [
    'runs/search',
    { experiment_ids: ['0'], page_token: 'x' },
    400,
    IPV,
    'Invalid page token, not one that a search with this order returned: leave it out to start at the first page',
  ],
  ['logged-models', { experiment_id: '0', name: 'a/b' }, 400, IPV, "Invalid model name 'a/b'. Names cannot contain '/', ':', '.', '%', '\"' or \"'\"."],
  ['logged-models/search', { experiment_ids: ['0'], datasets: [{}] }, 400, IPV, '`dataset_name` in the `datasets` clause must be specified.'],
  ['logged-models/search', { experiment_ids: ['0'], order_by: [{ field_name: 'bogus' }] }, 400, IPV, 'Invalid order by field name: bogus'],
  [
    'runs/log-inputs',
    { run_id: R, datasets: [{ dataset: { name: 'd' } }] },
    400,
    IPV,
    `Missing value for required parameter 'datasets[0].dataset.digest'. ${docs}`,
  ],
  ['runs/outputs', { run_id: R, models: [{ model_id: 'm-nothing' }] }, 404, RDNE, "Logged model with ID 'm-nothing' not found."],
])('POST %s %j answers %d %s', async (path, body, status, code, message) => {
  const answer = await call('POST', path, { body: fill(body) })
  const expected = message.replaceAll(R, runId).replaceAll(D, deletedRun)
  expect(answer).toMatchObject({ status, json: { error_code: code } })
  expect(answer.text('message')).toContain(expected)
})

test.each([
  ['experiments/get?experiment_id=9999', 404, RDNE, 'No Experiment with id=9999 exists'],
  ['experiments/get', 400, IPV, `Missing value for required parameter 'experiment_id'. ${docs}`],
  ['experiments/get-by-name?experiment_name=X', 404, RDNE, "Could not find experiment with name 'X'"],
  ['runs/get?run_id=nothing', 404, RDNE, 'Run with id=nothing not found'],
  ['logged-models/m-1', 404, RDNE, "Logged model with ID 'm-1' not found."],
  ['logged-models/m-1?allow_deleted=maybe', 400, IPV, "Invalid boolean value: maybe, must be 'true' or 'false'."],
  ['metrics/get-history?run_id=a&metric_key=b&page_token=%21', 400, IPV, 'Invalid page token, '],
  ['traces/search', 404, 'ENDPOINT_NOT_FOUND', ''],
])('GET %s answers %d %s', async (path, status, code, message) => {
  const answer = await call('GET', path)
  expect(answer).toMatchObject({ status, json: { error_code: code } })
  expect(answer.text('message')).toContain(message)
})

test.each([
  "params.a = 'x' OR params.b = 'y'",
  "PARAMS.a = 'x'",
  'metrics.a > ',
  "experiment_id = '0'",
  "status IN ('FINISHED')",
  ' ',
  "params.a = 'x'; drop table run",
  `params.a = '${'x'.repeat(600_000)}'`,
  "tags.`a' = 'b'",
])('a filter that does not parse is refused in words: %.60s', async (filter) => {
  const answer = await call('POST', 'runs/search', { body: { experiment_ids: ['0'], filter } })
  expect(answer).toMatchObject({ status: 400, json: { error_code: IPV } })
  expect(answer.text('message').length).toBeGreaterThan(20)
})

test('a batch that is refused leaves nothing behind', async () => {
  const run = await create({ experiment_id: '0' })
  await call('POST', 'runs/log-parameter', { body: { run_id: run, key: 'p', value: '1' } })
  const metrics = [{ key: 'm', value: 1, timestamp: 1, step: 0 }]
  const body = {
    run_id: run,
    metrics,
    tags: [{ key: 't', value: '1' }],
    params: [
      { key: 'new', value: '1' },
      { key: 'p', value: '2' },
    ],
  }
  expect((await call('POST', 'runs/log-batch', { body })).status).toBe(400)
  expect((await call('GET', `runs/get?run_id=${run}`)).json).toMatchObject({ run: { data: { params: [{ key: 'p', value: '1' }] } } })
  const { json } = await call('GET', `runs/get?run_id=${run}`)
  expect(json).not.toHaveProperty('run.data.metrics')
})

test('unknown fields are ignored, and a number may come as digits', async () => {
  const body = { run_id: runId, key: 'n', value: '1.5', timestamp: '7', step: '-3', novelty: { a: 1 } }
  expect(await call('POST', 'runs/log-metric', { body })).toMatchObject({ status: 200, json: {} })
  const history = await call('GET', `metrics/get-history?run_id=${runId}&metric_key=n`)
  expect(history.json).toEqual({ metrics: [{ key: 'n', value: 1.5, timestamp: 7, step: -3 }] })
})

test('nobody comes in without a token, by neither prefix', async () => {
  for (const path of [
    '/api/2.0/mlflow/runs/get',
    '/ajax-api/2.0/mlflow/runs/get',
    '/api/2.0/mlflow-artifacts/artifacts/a',
    '/get-artifact',
    '/api/v1/artifacts/manifests',
  ]) {
    const response = await fetch(`${tracking.value.url}${path}?run_id=${runId}&path=a`, { method: path.includes('manifests') ? 'POST' : 'GET' })
    expect(response.status).toBe(401)
  }
  expect((await call('POST', '/api/v1/artifacts/manifests', { body: { source: 'models:/m-1', holder: 'a' } })).status).toBe(403)
})

test('values beyond the limits are cut, or refused where the setting says so', async () => {
  const strict = await startTracking({ TRACKING_TRUNCATE_LONG_VALUES: false })
  const logLong = async (ask: RunningTracking['call']) => {
    const run = (await ask('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
    const body = { run_id: run, params: [{ key: 'p', value: 'ü'.repeat(6001) }], tags: [{ key: 'a', value: 'x'.repeat(8001) }] }
    const answer = await ask('POST', 'runs/log-batch', { body })
    const read = await ask('GET', `runs/get?run_id=${run}`)
    return { answer, lengths: [read.text('run', 'data', 'params', 0, 'value').length, read.text('run', 'data', 'tags', 0, 'value').length] }
  }
  expect(await logLong(call)).toMatchObject({ answer: { status: 200 }, lengths: [6000, 8000] })
  const refused = await logLong(strict.value.call)
  expect(refused.answer.text('message')).toBe("'params[0].value' exceeds the maximum length of 6000 characters")
  await strict.stop()
})
