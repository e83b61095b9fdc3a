import { modelFixture } from '@millrace/platform/testing/model-folder.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { finished, publishedOf, ready, status } from './testing/finished-runs.ts'
import { type RunningRegistry, registered, runningRegistry, servableFiles, signature, specText, transition } from './testing/running-registry.ts'

const detail = async (registry: RunningRegistry, version = 1) => (await registry.send('GET', `/api/v1/models/fish/versions/${version}`)).body

test('a finished run that is tagged for it becomes a version of its own, described by the run', async () => {
  const registry = await runningRegistry()
  await registry.tracking.put('runs:/r1/model', servableFiles())
  await registry.emit(finished())
  await ready(registry)
  expect(await detail(registry)).toMatchObject({
    ...{ model: 'fish', version: '1', stage: 'None', status: 'READY', source: 'runs:/r1/model', runId: 'r1', servable: true, unservableReason: null },
    ...{ signature, artifact: { format: 'onnx', sha256: registry.tracking.pins.get('registry:fish/1') } },
    ...{ tags: { auto_registered: 'true', test_accuracy: '0.93', dataset_digest: 'sha256:1' } },
  })
  const [event] = await publishedOf(registry, 'modelversion.registered.v1')
  expect(event).toMatchObject({ subject: 'fish', data: { version: '1', automatic: true, servable: true, registeredBy: 'ana', runId: 'r1' } })
})

test('a run that is resumed finishes twice and still registers once; another path is another version', async () => {
  const registry = await runningRegistry()
  for (const path of ['model', 'best']) await registry.tracking.put(`runs:/r1/${path}`, servableFiles(path))
  await registry.emit(finished())
  await registry.emit(finished())
  await registry.emit(finished({ status: 'FAILED', runId: 'r2' }))
  await registry.emit(finished({ tags: { 'millrace.register': 'a/b' } }))
  await registry.emit(finished({ tags: { 'millrace.register': 'fish', 'millrace.register.path': 'best' } }))
  await ready(registry, 2)
  expect(await status(registry, 2)).toMatchObject({ source: 'runs:/r1/best' })
  expect(await status(registry, 3)).toBeNull()
  expect(await publishedOf(registry, 'modelversion.registered.v1')).toHaveLength(2)
})

test('a run whose registration failed may finish again with the files that were missing', async () => {
  const registry = await runningRegistry()
  await registry.emit(finished())
  await until(async () => {
    expect(await status(registry)).toMatchObject({ status: 'FAILED_REGISTRATION' })
    return true
  })
  await registry.tracking.put('runs:/r1/model', servableFiles())
  await registry.emit(finished())
  await ready(registry, 2)
  await registry.emit(finished())
  await registry.tracking.put('runs:/r9/model', servableFiles())
  await registry.emit(finished({ runId: 'r9', artifactUri: 'mlflow-artifacts:/1/r9/artifacts' }))
  await ready(registry, 3)
  expect(await status(registry, 3)).toMatchObject({ run_id: 'r9' })
})

test('a run that finishes again after its version was deleted does not bring it back', async () => {
  const registry = await runningRegistry()
  await registry.tracking.put('runs:/r1/model', servableFiles())
  await registry.emit(finished())
  await ready(registry)
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '1' })
  await registry.emit(finished())
  await registry.tracking.put('runs:/r9/model', servableFiles())
  await registry.emit(finished({ runId: 'r9', artifactUri: 'mlflow-artifacts:/1/r9/artifacts' }))
  await ready(registry, 2)
  expect(await status(registry, 2)).toMatchObject({ run_id: 'r9' })
})

test('a transient fault is waited out: the version answers PENDING_REGISTRATION and becomes READY later', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r1/model', servableFiles())
  registry.tracking.faults = 1
  const created = await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/model' })
  expect(created.body).toMatchObject({ model_version: { status: 'PENDING_REGISTRATION', status_message: 'Waiting to try again: tracking does not answer' } })
  await ready(registry)
  expect(await status(registry)).toMatchObject({ run_id: 'r1' })
  expect(await status(registry)).not.toHaveProperty('status_message')
})

test('a refusal that will not change fails the registration for good, and says why', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  const created = await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/nothing' })
  const message = "There are no artifacts at 'runs:/r1/nothing'"
  expect(created).toMatchObject({ status: 200, body: { model_version: { status: 'FAILED_REGISTRATION', status_message: message } } })
  const promoted = await registry.mlflow('POST', 'model-versions/transition-stage', { name: 'fish', version: '1', stage: 'Production' })
  expect(promoted).toMatchObject({ status: 400, body: { message: expect.stringContaining(message) } })
  expect(await publishedOf(registry, 'modelversion.registered.v1')).toEqual([])
})

test('an answer that takes too long is not waited for: the job finishes what was begun', async () => {
  const registry = await runningRegistry({ REGISTRY_SEAL_WAIT_MS: 0 })
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r1/model', servableFiles())
  const created = await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/model' })
  expect(created.body).toMatchObject({ model_version: { status: 'PENDING_REGISTRATION' } })
  await ready(registry)
})

test.each([
  [
    'an MLflow pickle',
    { MLmodel: 'flavors:\n  python_function:\n    x: 1\n  sklearn:\n    y: 2\n', 'model.pkl': 'p' },
    'mlflow:sklearn',
    'Export the model as ONNX',
  ],
  [
    'the ONNX flavor with bytes that are no network',
    { MLmodel: 'flavors:\n  onnx:\n    data: model.onnx\n', 'model.onnx': 'o' },
    'mlflow:onnx',
    'Not a readable ONNX file',
  ],
  [
    'the ONNX flavor without its side file',
    { ...modelFixture('side-file'), 'weights.data': '' },
    'mlflow:onnx',
    "of 'weights.data' (external data), which has 0",
  ],
  ['a description whose files are missing', { 'millrace-model.json': specText() }, 'onnx', "names 'model.onnx'"],
])('%s is tracked and READY, but not servable, and refused for Production with the cure', async (_name, files, format, cure) => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r1/model', files)
  await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/model' })
  expect(await detail(registry)).toMatchObject({ status: 'READY', servable: false, unservableReason: expect.stringContaining(cure), artifact: { format } })
  const promoted = await registry.mlflow('POST', 'model-versions/transition-stage', { name: 'fish', version: '1', stage: 'Production' })
  expect(promoted).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining(cure) } })
})

test.each(['sklearn-table', 'sklearn-zipmap', 'side-file', 'xgboost'] as const)('%s, as MLflow logged it, can be served', async (name) => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r1/model', modelFixture(name))
  await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/model' })
  expect(await detail(registry)).toMatchObject({
    servable: true,
    unservableReason: null,
    artifact: { format: 'onnx' },
    signature: { inputs: [{ datatype: 'FP32' }] },
  })
  expect((await transition(registry, 1, 'Production')).status).toBe(200)
})

test('a version from a store outside is READY without an artifact', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  const created = await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 's3://bucket/model' })
  expect(created.body).toMatchObject({ model_version: { status: 'READY', source: 's3://bucket/model' } })
  expect(await detail(registry)).toMatchObject({ artifact: null, servable: false, unservableReason: expect.stringContaining('outside of Millrace') })
})

test('files in a bucket are sealed where they are of the run that is named, and only there', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  const info = { run_id: 'r7', run_name: 'r', experiment_id: '1', status: 'FINISHED', artifact_uri: 's3://lake/1/r7/artifacts', lifecycle_stage: 'active' }
  registry.tracking.runs.set('r7', { info, data: {} })
  await registry.tracking.put('s3://lake/1/r7/artifacts/model', servableFiles())
  await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 's3://lake/1/r7/artifacts/model', run_id: 'r7' })
  expect(await detail(registry)).toMatchObject({ status: 'READY', servable: true })
  expect(registry.tracking.pins.has('registry:fish/1')).toBe(true)
  for (const [source, run_id] of [
    ['s3://lake/1/r7/artifacts-of-others/model', 'r7'],
    ['s3://lake/1/r7/artifacts/model', 'unknown'],
    ['s3://lake/1/r7/artifacts/model', ''],
  ])
    await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source, run_id })
  expect(registry.tracking.seals).toBe(1)
})

test('a logged model tells where it lies and which run made it, before the answer', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('models:/m-0123', servableFiles())
  registry.tracking.loggedModels.set('m-0123', { artifact_uri: 'mlflow-artifacts:/1/models/m-0123/artifacts', source_run_id: 'r7' })
  const created = await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'models:/m-0123', model_id: 'm-0123' })
  expect(created.body).toMatchObject({ model_version: { source: 'models:/m-0123', run_id: 'r7', model_id: 'm-0123', status: 'READY' } })
  const uri = await registry.mlflow('GET', 'model-versions/get-download-uri', { name: 'fish', version: 1 })
  expect(uri.body).toEqual({ artifact_uri: 'mlflow-artifacts:/1/models/m-0123/artifacts' })
  const unknown = await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'models:/m-9999' })
  expect(unknown).toMatchObject({ status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: "Logged model with ID 'm-9999' not found." } })
})

test('a copy of a version is of the same bytes, or is refused', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const { mlflow, tracking } = registry
  await mlflow('POST', 'registered-models/create', { name: 'copy' })
  await mlflow('POST', 'registered-models/alias', { name: 'fish', alias: 'champion', version: '1' })
  for (const source of ['models:/fish/1', 'models:/fish@champion', 'models:/fish/latest']) {
    const copied = await mlflow('POST', 'model-versions/create', { name: 'copy', source })
    expect(copied.body).toMatchObject({ model_version: { status: 'READY', run_id: 'fish-run-1' } })
  }
  expect(tracking.pins.get('registry:copy/1')).toBe(tracking.pins.get('registry:fish/1'))
  await tracking.put('runs:/fish-run-1/model', servableFiles('overwritten'))
  const changed = await mlflow('POST', 'model-versions/create', { name: 'copy', source: 'models:/fish/1' })
  expect(changed.body).toMatchObject({
    model_version: { status: 'FAILED_REGISTRATION', status_message: expect.stringContaining('changed after it was registered') },
  })
})
