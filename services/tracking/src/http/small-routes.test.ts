import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let runId = ''

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
  runId = (await call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
})
afterAll(() => tracking.stop())

const dataset = (name: string, digest: string, context?: string) => ({
  dataset: { name, digest, source_type: 'code', source: '{}' },
  tags: context === undefined ? [] : [{ key: 'mlflow.data.context', value: context }],
})

test('the data sets of experiments come once per context', async () => {
  const other = (await call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
  const inputs = (run_id: string, datasets: unknown) => call('POST', 'runs/log-inputs', { body: { run_id, datasets } })
  await inputs(runId, [dataset('a', '1', 'training'), dataset('b', '2')])
  await inputs(other, [dataset('a', '1', 'training'), dataset('b', '2', 'test')])
  const { json } = await call('POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', { body: { experiment_ids: ['0', '9999'] } })
  expect(json).toEqual({
    dataset_summaries: [
      { experiment_id: '0', name: 'a', digest: '1', context: 'training' },
      { experiment_id: '0', name: 'b', digest: '2', context: 'test' },
      { experiment_id: '0', name: 'b', digest: '2' },
    ],
  })
})

test.each([
  [{}, 'SearchDatasets request must specify at least one experiment_id.'],
  [{ experiment_ids: Array.from({ length: 21 }, String) }, 'SearchDatasets request cannot specify more than 20 experiment_ids. Received 21 experiment_ids.'],
  [{ experiment_ids: ['x'] }, "Invalid experiment ID 'x'. Experiment ID must be a valid integer."],
])('data sets of %j are refused', async (body, message) => {
  expect((await call('POST', 'experiments/search-datasets', { body })).json).toEqual({ error_code: 'INVALID_PARAMETER_VALUE', message })
})

const upload = (query: string, raw: Uint8Array) => call('POST', `/ajax-api/2.0/mlflow/upload-artifact?${query}`, { raw })

test('a page uploads a small file to a run', async () => {
  expect(await upload(`run_uuid=${runId}&path=a%20b/c.txt`, Buffer.from('hello'))).toMatchObject({ status: 200, json: {} })
  expect((await call('GET', `/get-artifact?run_uuid=${runId}&path=a%20b/c.txt`)).bytes.toString()).toBe('hello')
})

test.each([
  ['path=x', 'x', 'Request must specify run_uuid.'],
  ['run_uuid=<run>', 'x', 'Request must specify path.'],
  ['run_uuid=<run>&path=x', '', 'Request must specify data.'],
  ['run_uuid=<run>&path=../x', 'x', 'Invalid path'],
  ['run_uuid=<run>&path=x', 'x'.repeat(10 * 1024 * 1024 + 1), 'Artifact size is too large. Max size is 10MB.'],
])('an upload with %s is refused', async (query, content, message) => {
  const answer = await upload(query.replace('<run>', runId), Buffer.from(content))
  expect([answer.status, answer.text('error_code')]).toEqual([400, 'INVALID_PARAMETER_VALUE'])
  expect(answer.text('message')).toContain(message)
})

test('nothing is uploaded to a run that is deleted, or that there is not', async () => {
  const gone = (await call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
  await call('POST', 'runs/delete', { body: { run_id: gone } })
  expect((await upload(`run_uuid=${gone}&path=x`, Buffer.from('x'))).text('message')).toContain("must be in the 'active' state")
  expect((await upload('run_uuid=nothing&path=x', Buffer.from('x'))).status).toBe(404)
})

test('a model that an older client tells of is noted in a tag, once', async () => {
  const model_json = JSON.stringify({ artifact_path: 'm', flavors: { f: {} }, utc_time_created: 't', run_id: runId })
  const tell = () => call('POST', 'runs/log-model', { body: { run_id: runId, model_json } })
  expect(await tell()).toMatchObject({ status: 200, json: {} })
  await tell()
  const tags = (await call('GET', `runs/get?run_id=${runId}`)).json
  expect(tags).toMatchObject({
    run: { data: { tags: expect.arrayContaining([{ key: 'mlflow.log-model.history', value: expect.stringMatching(/^\[\{[^[]*\}\]$/) }]) } },
  })
  expect((await call('POST', 'runs/log-model', { body: { run_id: runId, model_json: '{' } })).text('message')).toContain('Malformed model info')
})

test('a file of a logged model is downloaded by its path', async () => {
  const modelId = (await call('POST', 'logged-models', { body: { experiment_id: '0', name: 'n' } })).text('model', 'info', 'model_id')
  await call('PUT', `/api/2.0/mlflow-artifacts/artifacts/0/models/${modelId}/artifacts/sub/MLmodel`, { raw: Buffer.from('flavors') })
  const file = (query: string) => call('GET', `/ajax-api/2.0/mlflow/logged-models/${modelId}/artifacts/files${query}`)
  const answer = await file('?artifact_file_path=sub/MLmodel')
  expect([answer.bytes.toString(), answer.headers.get('content-disposition')]).toEqual(['flavors', `attachment; filename="MLmodel"; filename*=UTF-8''MLmodel`])
  expect((await file('')).json).toEqual({ error_code: 'BAD_REQUEST', message: 'Request must include the "artifact_file_path" query parameter.' })
  expect((await file('?artifact_file_path=..%2f..')).status).toBe(400)
  expect((await file('?artifact_file_path=none')).status).toBe(404)
  expect((await call('GET', `logged-models/${modelId}/artifacts/directories?artifact_directory_path=sub`)).json).toEqual({
    root_uri: `mlflow-artifacts:/0/models/${modelId}/artifacts`,
    files: [{ path: 'sub/MLmodel', is_dir: false, file_size: 7 }],
  })
})

test('what kind of server this is, is told by GET and POST under both prefixes', async () => {
  for (const prefix of ['/api', '/ajax-api']) {
    for (const method of ['GET', 'POST']) {
      expect(await call(method, `${prefix}/3.0/mlflow/server-info`)).toMatchObject({ status: 200, json: { store_type: 'SqlStore', workspaces_enabled: false } })
    }
  }
})

/** One of each family that this server does not have. */
const elsewhere = [
  ['GET', '2.0/mlflow/traces'],
  ['POST', '2.0/mlflow/traces'],
  ['PATCH', '2.0/mlflow/traces/tr-1/tags'],
  ['POST', '3.0/mlflow/traces'],
  ['POST', '3.0/mlflow/traces/search'],
  ['GET', '3.0/mlflow/traces/tr-1/assessments/a-1'],
  ['POST', '3.0/mlflow/datasets/create'],
  ['POST', '3.0/mlflow/issues'],
  ['GET', '3.0/mlflow/scorers/list'],
  ['POST', '3.0/mlflow/scorers/register'],
  ['GET', '2.0/mlflow/gateway-proxy'],
  ['POST', '3.0/mlflow/gateway/endpoints/create'],
  ['GET', '3.0/mlflow/gateway/secrets/list'],
  ['POST', '3.0/mlflow/prompt-optimization/jobs'],
  ['GET', '3.0/mlflow/jobs'],
  ['POST', '3.0/mlflow/demo/generate'],
  ['POST', '3.0/mlflow/mcp/servers'],
  ['GET', '3.0/mlflow/ui-telemetry'],
  ['GET', '3.0/mlflow/workspaces'],
  ['POST', '2.0/mlflow/experiments/list-everything'],
] as const

test.each(elsewhere)('%s %s is not found, in words that clients read', async (method, path) => {
  for (const prefix of ['/api', '/ajax-api']) {
    const body = method === 'GET' ? {} : { body: {} }
    expect(await call(method, `${prefix}/${path}`, body)).toMatchObject({ status: 404, json: { error_code: 'ENDPOINT_NOT_FOUND' } })
  }
})
