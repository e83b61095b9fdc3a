import { sealResponse } from '@millrace/contracts/http/tracking.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TrackingConfig } from '../config.ts'
import { createMemoryExternal, type MemoryExternal } from '../testing/memory-external.ts'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

const ROOT = { bucket: 'lake', key: 'ml' }
let external: MemoryExternal
let tracking: Awaited<ReturnType<typeof startTracking>>
let running: RunningTracking
let call: RunningTracking['call']
let runId = ''
let root = ''

async function start(settings: Partial<TrackingConfig> = {}): Promise<void> {
  tracking = await startTracking({ TRACKING_ARTIFACT_ROOTS: [ROOT], ...settings }, undefined, external)
  running = tracking.value
  call = running.call
  const experiment = await createExperiment('s3://lake/ml/fish/')
  const run = await call('POST', 'runs/create', { body: { experiment_id: experiment.text('experiment_id') } })
  runId = run.text('run', 'info', 'run_id')
  root = run.text('run', 'info', 'artifact_uri')
}

beforeEach(() => {
  external = createMemoryExternal()
  return start()
})
afterEach(() => tracking.stop())

const createExperiment = (location: string) =>
  call('POST', 'experiments/create', { body: { name: `far ${location.slice(0, 99)}`, artifact_location: location } })
const write = (path: string, content: string) => external.objects.set(`${root}/${path}`, content)
const list = (query: string) => call('GET', `artifacts/list?run_id=${runId}&${query}`)
const get = (path: string) => call('GET', `/get-artifact?run_id=${runId}&path=${path}`)
const sealing = (source = `runs:/${runId}/model`) =>
  running.callAsRegistry('POST', '/api/v1/artifacts/manifests', { body: { source, holder: 'registry:fish/1' } })
const seal = async (source?: string) => sealResponse.parse((await sealing(source)).json)

test('runs and logged models have their roots under the location', async () => {
  expect(root).toBe(`s3://lake/ml/fish/${runId}/artifacts`)
  const model = await call('POST', 'logged-models', { body: { experiment_id: '1', name: 'model', source_run_id: runId } })
  expect(model.text('model', 'info', 'artifact_uri')).toMatch(/^s3:\/\/lake\/ml\/fish\/models\/m-[0-9a-f]{32}\/artifacts$/)
})

test.each([
  's3://lake',
  's3://lake/mlx',
  's3://lake/ml/../secret',
  's3://lake/ml/%2e%2e/secret',
  's3://lake/ml//x',
  's3://other/ml',
  's3://lake:80/ml',
  's3://lake@other/ml',
  'S3://lake/ml',
  's3:/lake/ml',
  `s3://lake/ml/${'x'.repeat(900)}`,
])('an experiment may not lie at %s', async (location) => {
  const answer = await createExperiment(location)
  expect(answer).toMatchObject({ status: 400, json: { error_code: 'INVALID_PARAMETER_VALUE' } })
  expect(answer.text('message')).toMatch(/Invalid artifact location .*(expected s3:\/\/|allowed locations \(s3:\/\/lake\/ml\))/)
})

test('a server without such a store says what to do instead', async () => {
  const own = await startTracking()
  const answer = await own.value.call('POST', 'experiments/create', { body: { name: 'far', artifact_location: 's3://lake/ml' } })
  expect(answer.status).toBe(400)
  expect(answer.text('message')).toMatch(/Leave artifact_location out, or .*TRACKING_ARTIFACT_ROOTS/)
  await own.stop()
})

test('a folder is listed page by page, without names that no path can have', async () => {
  for (const path of ['model/a', 'model/b/c', 'model/d', 'model/e\\f']) write(path, 'xx')
  const first = await list('path=model')
  expect(first.json).toEqual({
    root_uri: root,
    files: [
      { path: 'model/a', is_dir: false, file_size: 2 },
      { path: 'model/b', is_dir: true },
    ],
    next_page_token: '2',
  })
  expect((await list('path=model&page_token=2')).json).toEqual({ root_uri: root, files: [{ path: 'model/d', is_dir: false, file_size: 2 }] })
  expect((await list('path=nothing')).json).toEqual({ root_uri: root })
})

test('a file is streamed as an attachment; a folder and what is missing are refused', async () => {
  write('model/MLmodel', 'flavors')
  const answer = await get('model/MLmodel')
  expect(answer.bytes.toString()).toBe('flavors')
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="MLmodel"/)
  expect(await get('model')).toMatchObject({ status: 400 })
  expect(await get('nothing')).toMatchObject({ status: 404, json: { error_code: 'RESOURCE_DOES_NOT_EXIST' } })
  expect(await get('..%252f..%252fsecret')).toMatchObject({ status: 400 })
  expect(await list('path=%252e%252e')).toMatchObject({ status: 400 })
})

test('what is sealed is copied: it stays when the bucket changes, and another seal sees the change', async () => {
  write('model/b/x.onnx', 'xxx')
  write('model/a.txt', 'aa')
  write('model2/other', 'o')
  const sealed = await seal()
  expect(sealed).toMatchObject({ uri: `${root}/model`, sizeBytes: 5, runId, files: [{ path: 'a.txt' }, { path: 'b/x.onnx' }] })
  expect(await seal(`${root}/model`)).toEqual(sealed)
  write('model/a.txt', 'changed')
  const other = await seal()
  expect(other.sha256).not.toBe(sealed.sha256)
  external.objects.clear()
  running.clock.advance(48 * 3_600_000)
  await running.job.run(new AbortController().signal)
  expect((await running.blobs.read(sealed.files[0]?.sha256 ?? '', 100)).toString()).toBe('aa')
  expect((await running.blobs.read(sealed.sha256, 1000)).toString()).toContain('b/x.onnx')
})

test('a logged model in a bucket is sealed by its id and by its name under the run', async () => {
  const model = await call('POST', 'logged-models', { body: { experiment_id: '1', name: 'net', source_run_id: runId } })
  external.objects.set(`${model.text('model', 'info', 'artifact_uri')}/MLmodel`, 'x')
  const sealed = await seal(`models:/${model.text('model', 'info', 'model_id')}`)
  expect(sealed).toMatchObject({ runId, files: [{ path: 'MLmodel' }] })
  expect(await seal(`runs:/${runId}/net`)).toEqual(sealed)
})

test('a seal that broke off goes on where it was: what was copied is not read again', async () => {
  write('model/a', '1')
  write('model/b', '2')
  external.away.add(`${root}/model/b`)
  expect(await sealing()).toMatchObject({ status: 503 })
  external.away.clear()
  expect(await seal()).toMatchObject({ sizeBytes: 2 })
  expect(external.opened).toEqual([`${root}/model/a`, `${root}/model/b`])
})

test('a copy that was collected meanwhile is made again', async () => {
  write('model/a', '1')
  const { files } = await seal()
  await running.blobs.remove(files[0]?.sha256 ?? '')
  await seal()
  expect((await running.blobs.read(files[0]?.sha256 ?? '', 10)).toString()).toBe('1')
})

test('what cannot be sealed is refused for good, and nothing of it is read', async () => {
  expect(await sealing()).toMatchObject({ status: 404 })
  write('model/../../../etc/cron.d/x', 'x')
  expect((await sealing()).text('detail')).toMatch(/is no path of a file/)
  external.objects.clear()
  write('model/a', 'x')
  write('model/a/b', 'x')
  expect((await sealing()).text('detail')).toMatch(/both a file and a folder/)
  expect(await sealing('s3://lake/secret/x')).toMatchObject({ status: 400 })
  expect(await sealing('s3://other/ml/x')).toMatchObject({ status: 400 })
  for (let index = 0; index <= 10_000; index++) write(`model/${index}`, '')
  expect((await sealing()).text('detail')).toMatch(/more than 10000 files/)
  expect(external.opened).toEqual([])
})

test('a file beyond the limit is refused before anything is read', async () => {
  await tracking.stop()
  await start({ TRACKING_MAX_ARTIFACT_BYTES: 3 })
  write('model/a', 'xxx')
  write('model/b', 'xxxx')
  expect(await sealing()).toMatchObject({ status: 413 })
  expect(external.opened).toEqual([])
})

test('a location that was taken from the list is not read any more', async () => {
  write('model/a', '1')
  await running.database.query("update run set artifact_uri = 's3://lake/other/artifacts'")
  external.objects.set('s3://lake/other/artifacts/model/a', 'secret')
  for (const answer of [await list('path=model'), await get('model/a'), await sealing()]) {
    expect(answer.status).toBe(400)
    expect(answer.bytes.toString()).toMatch(/another store \(s3:\).*TRACKING_ARTIFACT_ROOTS/)
  }
})
