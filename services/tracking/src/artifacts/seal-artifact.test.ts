import { sealResponse } from '@millrace/contracts/http/tracking.ts'
import { artifactManifest } from '@millrace/contracts/model/artifact-manifest.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

const GRACE_HOURS = 24
let tracking: Awaited<ReturnType<typeof startTracking>>
let running: RunningTracking
let runId = ''
let root = ''

beforeEach(async () => {
  tracking = await startTracking({ TRACKING_ARTIFACT_GRACE_HOURS: GRACE_HOURS })
  running = tracking.value
  runId = (await running.call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
  root = `0/${runId}/artifacts`
})
afterEach(() => tracking.stop())

const put = (path: string, content: string) => running.call('PUT', `/api/2.0/mlflow-artifacts/artifacts/${root}/${path}`, { raw: Buffer.from(content) })
const remove = (path: string) => running.call('DELETE', `/api/2.0/mlflow-artifacts/artifacts/${root}/${path}`)
const sealing = (source: string, holder = 'registry:fish/1') => running.callAsRegistry('POST', '/api/v1/artifacts/manifests', { body: { source, holder } })
const seal = async (source: string, holder?: string) => sealResponse.parse((await sealing(source, holder)).json)
const release = (sha256: string, holder = 'registry:fish/1') => running.callAsRegistry('POST', '/api/v1/artifacts/releases', { body: { sha256, holder } })

async function stored(): Promise<number> {
  let count = 0
  for await (const blob of running.blobs.list()) count += blob.sizeBytes > 0 ? 1 : 0
  return count
}

/** Lets the grace period pass and looks for what nothing names. */
async function collect(): Promise<void> {
  running.clock.advance((GRACE_HOURS + 1) * 3_600_000)
  await running.job.run(new AbortController().signal)
}

test('a sealed list names every file, sorted, and is stored under its own digest', async () => {
  await put('model/b.txt', 'bb')
  await put('model/a/x.onnx', 'xxx')
  await put('other', 'o')
  const sealed = await seal(`runs:/${runId}/model`)
  expect(sealed).toMatchObject({ uri: `mlflow-artifacts:/${root}/model`, sizeBytes: 5, runId })
  expect(sealed.files.map((file) => [file.path, file.sizeBytes])).toEqual([
    ['a/x.onnx', 3],
    ['b.txt', 2],
  ])
  const manifest = artifactManifest.parse(JSON.parse((await running.blobs.read(sealed.sha256, 10_000)).toString()))
  expect(manifest).toEqual({ schemaVersion: 1, files: sealed.files })
  expect((await running.blobs.read(sealed.files[0]?.sha256 ?? '', 100)).toString()).toBe('xxx')
})

test('sealing again gives the same digest, changed files another', async () => {
  await put('model/a', '1')
  const first = await seal(`runs:/${runId}/model`)
  expect(await seal(`mlflow-artifacts:/${root}/model`)).toEqual(first)
  await put('model/a', '2')
  expect((await seal(`runs:/${runId}/model`)).sha256).not.toBe(first.sha256)
})

test('sealed content outlives overwriting and deletion until it is released, then it goes', async () => {
  await put('model/a', '1')
  const sealed = await seal(`runs:/${runId}/model`)
  await put('model/a', '2')
  await remove('model')
  await collect()
  expect((await running.blobs.read(sealed.files[0]?.sha256 ?? '', 100)).toString()).toBe('1')
  expect(await stored()).toBe(2)
  await release(sealed.sha256)
  await running.job.run(new AbortController().signal)
  expect(await stored()).toBe(2)
  await collect()
  expect(await stored()).toBe(0)
})

test('a pin is held until every holder released it', async () => {
  await put('model/a', '1')
  const { sha256 } = await seal(`runs:/${runId}/model`, 'one')
  await seal(`runs:/${runId}/model`, 'two')
  await remove('model')
  await release(sha256, 'one')
  expect((await release(sha256, 'one')).status).toBe(200)
  await collect()
  expect(await stored()).toBe(2)
  await release(sha256, 'two')
  await collect()
  expect(await stored()).toBe(0)
})

test('content that an artifact names, and what is young, is never collected', async () => {
  await put('a', '1')
  await put('b', '1')
  await remove('a')
  await collect()
  expect(await stored()).toBe(1)
  await put('c', 'young')
  await remove('c')
  running.clock.advance(3_600_000)
  await running.job.run(new AbortController().signal)
  expect(await stored()).toBe(2)
})

test('bytes of an upload that was never named are collected', async () => {
  await running.blobs.put(Buffer.from('orphan'))
  await collect()
  expect(await stored()).toBe(0)
})

test('what a pass that died had condemned is collected by the next, and may be uploaded again', async () => {
  await put('a', '1')
  await remove('a')
  await running.database.query('update content set condemned_at = now()')
  expect(await put('a', '1')).toMatchObject({ status: 503 })
  await collect()
  expect((await put('a', '1')).status).toBe(200)
  await collect()
  expect(await stored()).toBe(1)
})

test('a logged model is sealed by its id, by its name under the run, and by path', async () => {
  const created = await running.call('POST', 'logged-models', { body: { experiment_id: '0', name: 'model', source_run_id: runId } })
  const modelId = created.text('model', 'info', 'model_id')
  const at = `0/models/${modelId}/artifacts`
  expect(created.text('model', 'info', 'artifact_uri')).toBe(`mlflow-artifacts:/${at}`)
  await running.call('PUT', `/api/2.0/mlflow-artifacts/artifacts/${at}/MLmodel`, { raw: Buffer.from('x') })
  const sealed = await seal(`models:/${modelId}`)
  expect(sealed).toMatchObject({ uri: `mlflow-artifacts:/${at}`, runId, files: [{ path: 'MLmodel' }] })
  expect(await seal(`runs:/${runId}/model`)).toEqual(sealed)
  expect(await seal(`mlflow-artifacts:/${at}`)).toEqual(sealed)
  expect((await seal(`mlflow-artifacts:/${at}/MLmodel`)).sha256).toBe(sealed.sha256)
})

test.each([
  ['runs:/nothing/model', 404],
  ['models:/m-nothing', 404],
  ['mlflow-artifacts:/0/nothing', 404],
  ['mlflow-artifacts:/../secret', 400],
  ['mlflow-artifacts:/%252e%252e/secret', 400],
  ['file:///etc/passwd', 400],
  ['s3://bucket/x', 400],
])('%s cannot be sealed: %d', async (source, status) => {
  const answer = await sealing(source)
  expect(answer).toMatchObject({ status, json: { status } })
  expect(answer.text('detail').length).toBeGreaterThan(20)
})

test('a collection that comes between the bytes of an upload and its name loses nothing that was acknowledged', async () => {
  let between = async (): Promise<void> => undefined
  const other = await startTracking({ TRACKING_ARTIFACT_GRACE_HOURS: 0 }, (blobs) => ({
    ...blobs,
    async put(content, options) {
      const info = await blobs.put(content, options)
      await between()
      return info
    },
  }))
  const { call, clock, job } = other.value
  const path = '/api/2.0/mlflow-artifacts/artifacts/0/raced'
  between = async () => {
    clock.advance(7_200_000)
    await job.run(new AbortController().signal)
  }
  expect((await call('PUT', path, { raw: Buffer.from('x') })).status).toBe(503)
  expect((await call('GET', path)).status).toBe(404)
  between = async () => undefined
  expect((await call('PUT', path, { raw: Buffer.from('x') })).status).toBe(200)
  expect((await call('GET', path)).bytes.toString()).toBe('x')
  await other.stop()
})
