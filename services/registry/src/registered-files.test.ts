import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { finished, publishedOf, ready, status } from './testing/finished-runs.ts'
import { registered, runningRegistry, servableFiles } from './testing/running-registry.ts'

test('the files of a deleted version are let go of, and of one whose seal was still under way', async () => {
  const registry = await runningRegistry({ REGISTRY_SEAL_WAIT_MS: 0 })
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r1/model', servableFiles())
  const create = () => registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/model' })
  await create()
  await ready(registry)
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '1' })
  await until(() => registry.tracking.pins.size === 0)

  const { promise, resolve } = Promise.withResolvers<void>()
  registry.tracking.gate = promise
  const before = registry.tracking.seals
  await create()
  await until(() => registry.tracking.seals > before)
  registry.tracking.gate = Promise.resolve()
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '2' })
  await until(async () => (await registry.database.query('select 1 from pin_release')).length === 0)
  resolve()
  await until(() => registry.tracking.releases === 3)
  expect(registry.tracking.pins.size).toBe(0)
  expect(await status(registry, 2)).toBeNull()
})

test('lineage leads from the version to run, data and code, and remembers the run where tracking cannot be asked', async () => {
  const registry = await runningRegistry()
  await registry.tracking.put('runs:/r1/model', servableFiles())
  await registry.emit(
    finished({ tags: { 'millrace.register': 'fish', 'mlflow.source.git.commit': 'c0ffee', 'mlflow.source.name': 'train.ts' }, params: { seed: '1' } }),
  )
  await ready(registry)
  const lineage = async () => (await registry.send('GET', '/api/v1/models/fish/versions/1/lineage')).body
  const remembered = await lineage()
  expect(remembered).toMatchObject({
    ...{ model: 'fish', version: '1', run: { runId: 'r1', experimentId: '1', params: { seed: '1' }, metrics: { test_accuracy: 0.93 } } },
    ...{ datasets: [{ name: 'drawn', digest: 'sha256:1' }], code: { commit: 'c0ffee', entryPoint: 'train.ts' } },
    history: [
      { action: 'register-version', to: 'READY' },
      { action: 'create-version', actor: 'ana' },
    ],
  })
  registry.tracking.runs.set('r1', {
    info: { run_id: 'r1', run_name: 'n', experiment_id: '1', status: 'FINISHED', artifact_uri: 'x', lifecycle_stage: 'active' },
    data: {
      metrics: [
        { key: 'later', value: 2, timestamp: 0, step: 0 },
        { key: 'bad', value: 'NaN', timestamp: 0, step: 0 },
      ],
    },
    inputs: { dataset_inputs: [{ dataset: { name: 'd', digest: 'x' } }] },
  })
  expect(await lineage()).toMatchObject({ run: { metrics: { later: 2 } }, datasets: [{ name: 'd', digest: 'x' }], code: { commit: null } })
})

test('a file of a version is read from what was sealed, as an attachment', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const read = (path: string) => registry.send('GET', `/model-versions/get-artifact?${new URLSearchParams({ name: 'fish', version: '1', path })}`)
  const answer = await read('millrace-model.json')
  expect(answer.body).toMatchObject({ schemaVersion: 1 })
  expect(answer.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''millrace-model.json")
  expect(await read('nothing.txt')).toMatchObject({ status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } })
  for (const path of ['../secret', '%2e%2e/secret', '%252e%252e%2fsecret', '/etc/passwd', 'file:x', 'a\\b', '#']) {
    expect(await read(path)).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining('Invalid path: expected') },
    })
  }
})

test('a registration that a stop cut off goes on at the next start, with one outcome', async () => {
  const registry = await runningRegistry({ REGISTRY_SEAL_WAIT_MS: 0 })
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r1/model', servableFiles())
  registry.tracking.gate = Promise.withResolvers<void>().promise
  await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/model' })
  await until(() => registry.tracking.seals > 0)
  await registry.restart()
  expect(await status(registry)).toMatchObject({ status: 'PENDING_REGISTRATION' })
  registry.tracking.gate = Promise.resolve()
  await registry.restart()
  await ready(registry)
  expect(await publishedOf(registry, 'modelversion.registered.v1')).toHaveLength(1)
})

test('two that register the same version at once end with one outcome', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r1/model', servableFiles())
  const { promise, resolve } = Promise.withResolvers<void>()
  registry.tracking.gate = promise
  const creating = registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/model' })
  await until(() => registry.tracking.seals === 1)
  await registry.database.query('update model_version set attempt_at = created_at')
  await until(() => registry.tracking.seals === 2)
  resolve()
  expect((await creating).body).toMatchObject({ model_version: { status: 'READY' } })
  expect(await publishedOf(registry, 'modelversion.registered.v1')).toHaveLength(1)
})
