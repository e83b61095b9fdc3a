import { trainingJobRequest } from '@millrace/contracts/http/trainer.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']

beforeAll(async () => {
  tracking = await startTracking()
  call = tracking.value.call
})
afterAll(() => tracking.stop())

const pairs = (record: Record<string, string>) => Object.entries(record).map(([key, value]) => ({ key, value }))
const start = async (tags: Record<string, string> = {}) =>
  (await call('POST', 'runs/create', { body: { experiment_id: '0', tags: pairs(tags) } })).text('run', 'info', 'run_id')
const put = (path: string, content: string) => call('PUT', `/api/2.0/mlflow-artifacts/artifacts/${path}`, { raw: Buffer.from(content) })
const reproduction = (runId: string) => call('GET', `/api/v1/runs/${runId}/reproduction`)

test('what the client told of a run stands together, and nothing is missing', async () => {
  const runId = await start({
    'mlflow.source.type': 'LOCAL',
    'mlflow.source.name': 'train.py',
    'mlflow.source.git.commit': 'c0ffee',
    'mlflow.source.git.repoURL': 'https://git.example.org/fish',
  })
  await call('POST', 'runs/log-batch', { body: { run_id: runId, params: pairs({ lr: '0.1', random_state: '7', seedling: '3' }) } })
  const dataset = { name: 'fish', digest: 'abc', source_type: 'code', source: '{}' }
  await call('POST', 'runs/log-inputs', { body: { run_id: runId, datasets: [{ tags: pairs({ 'mlflow.data.context': 'training' }), dataset }] } })
  const created = await call('POST', 'logged-models', { body: { experiment_id: '0', name: 'model', source_run_id: runId } })
  const modelId = created.text('model', 'info', 'model_id')
  await call('POST', 'runs/outputs', { body: { run_id: runId, models: [{ model_id: modelId }] } })
  await put(`0/models/${modelId}/artifacts/requirements.txt`, 'mlflow')
  await put(`0/models/${modelId}/artifacts/MLmodel`, 'flavors')
  await put(`0/${runId}/artifacts/plots/x.png`, 'png')
  expect((await reproduction(runId)).json).toMatchObject({
    run: { runId },
    experimentName: 'Default',
    code: { sourceName: 'train.py', gitCommit: 'c0ffee', gitRepository: 'https://git.example.org/fish', gitBranch: null, dirty: null },
    params: { lr: '0.1', random_state: '7' },
    seeds: [{ key: 'random_state', value: '7' }],
    datasets: [{ name: 'fish', digest: 'abc', context: 'training', sourceType: 'code', source: '{}' }],
    environment: [
      { uri: `mlflow-artifacts:/0/models/${modelId}/artifacts/MLmodel`, kind: 'mlflow-model', sizeBytes: 7, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { uri: `mlflow-artifacts:/0/models/${modelId}/artifacts/requirements.txt`, kind: 'pip', sizeBytes: 6 },
    ],
    outputs: [modelId],
    trainingJob: null,
    missing: [],
  })
})

test('of a bare run everything that is missing is named, with the cure', async () => {
  const answer = await reproduction(await start())
  const missing: { what: string; cure: string }[] = Reflect.get(Object(answer.json), 'missing')
  expect(missing.map((entry) => entry.what)).toEqual(['entry point', 'code version', 'repository', 'environment', 'data', 'parameters', 'seed'])
  expect(missing.every((entry) => entry.cure !== '')).toBe(true)
})

test('a run of the trainer holds the job that repeats it', async () => {
  const request = {
    model: 'fish',
    dataset: 'fish',
    experiment: 'Default',
    parameters: { seed: 1, epochs: 3 },
    register: true,
    timeoutMs: 60_000,
    maxAttempts: 2,
  }
  const runId = await start({
    'millrace.job': 'job-1',
    'millrace.job.request': JSON.stringify(request),
    'millrace.dataset.digest': 'd'.repeat(64),
    'millrace.code.dirty': 'true',
  })
  const answer = await reproduction(runId)
  expect(answer.json).toMatchObject({
    trainingJob: { jobId: 'job-1', request: { ...request, cause: `repeats run ${runId}` }, datasetSha256: 'd'.repeat(64) },
    code: { dirty: true },
    missing: expect.arrayContaining([expect.objectContaining({ what: 'uncommitted changes' })]),
  })
  expect(trainingJobRequest.safeParse(Reflect.get(Object(answer.json), 'trainingJob').request).success).toBe(true)
})

test.each(['', '{', '{"model":"fish"}', '{"model":"../x","dataset":"d"}', '[]'])(
  'a job request of %j, which anybody may have set, is not handed on',
  async (request) => {
    const answer = await reproduction(await start({ 'millrace.job': 'job-1', 'millrace.job.request': request }))
    expect(answer.json).toMatchObject({ trainingJob: { request: null }, missing: expect.arrayContaining([expect.objectContaining({ what: 'training job' })]) })
  },
)

test('a run that is not there is told', async () => {
  expect((await reproduction('nothing')).status).toBe(404)
})
