import { expect, test } from 'vitest'
import { PREFIXES } from './http/prefixes.ts'
import { type RunningRegistry, registered, runningRegistry, servableFiles, transition } from './testing/running-registry.ts'

const endpoints: [string, string][] = [
  ...[
    'POST create',
    'GET get',
    'GET search',
    'GET list',
    'PATCH update',
    'POST rename',
    'DELETE delete',
    'POST get-latest-versions',
    'GET get-latest-versions',
  ].map((line): [string, string] => [line.split(' ')[0] ?? '', `registered-models/${line.split(' ')[1]}`]),
  ...['POST set-tag', 'DELETE delete-tag', 'POST alias', 'DELETE alias', 'GET alias'].map((line): [string, string] => [
    line.split(' ')[0] ?? '',
    `registered-models/${line.split(' ')[1]}`,
  ]),
  ...[
    'POST create',
    'GET get',
    'GET search',
    'PATCH update',
    'POST transition-stage',
    'DELETE delete',
    'GET get-download-uri',
    'POST set-tag',
    'DELETE delete-tag',
  ].map((line): [string, string] => [line.split(' ')[0] ?? '', `model-versions/${line.split(' ')[1]}`]),
  ['POST', 'webhooks'],
  ['GET', 'webhooks'],
  ['GET', 'webhooks/x'],
  ['PATCH', 'webhooks/x'],
  ['DELETE', 'webhooks/x'],
  ['POST', 'webhooks/x/test'],
]

test('every endpoint of the registry is served under both prefixes', async () => {
  const registry = await runningRegistry()
  for (const prefix of PREFIXES) {
    for (const [method, path] of endpoints) {
      const { body } = await registry.send(method, `${prefix}/${path}`, method === 'GET' ? {} : { body: {} })
      expect({ method, prefix, path, code: body['error_code'] }).not.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' })
    }
  }
  expect(await registry.send('GET', '/api/2.0/mlflow/registered-models/nothing')).toMatchObject({ status: 404, body: { error_code: 'ENDPOINT_NOT_FOUND' } })
})

const model = async (registry: RunningRegistry) => Object((await registry.mlflow('GET', 'registered-models/get', { name: 'fish' })).body['registered_model'])
const version = async (registry: RunningRegistry, number = 1, name = 'fish') =>
  Object((await registry.mlflow('GET', 'model-versions/get', { name, version: number })).body['model_version'])

/** Makes every time a long while ago, so that what moves shows. */
const age = (registry: RunningRegistry) =>
  registry.database.transaction(async (tx) => {
    await tx.query("update registered_model set updated_at = '2020-01-01T00:00:00Z'")
    await tx.query("update model_version set updated_at = '2020-01-01T00:00:00Z'")
  })
const LONG_AGO = Date.UTC(2020, 0, 1)

const key = { name: 'fish', version: '1' }
const changes: [string, string, string, object, { model: boolean; version: boolean }][] = [
  ['describing the model', 'PATCH', 'registered-models/update', { name: 'fish', description: 'd' }, { model: true, version: false }],
  ['a tag of the model', 'POST', 'registered-models/set-tag', { name: 'fish', key: 'k', value: 'v' }, { model: false, version: false }],
  ['an alias', 'POST', 'registered-models/alias', { ...key, alias: 'champion' }, { model: false, version: false }],
  ['describing the version', 'PATCH', 'model-versions/update', { ...key, description: 'd' }, { model: false, version: true }],
  ['a tag of the version', 'POST', 'model-versions/set-tag', { ...key, key: 'k', value: 'v' }, { model: false, version: false }],
  ['a stage', 'POST', 'model-versions/transition-stage', { ...key, stage: 'Staging', archive_existing_versions: false }, { model: true, version: true }],
  ['another version', 'POST', 'model-versions/create', { name: 'fish', source: 'runs:/fish-run-1/model' }, { model: true, version: false }],
]

test.each(changes)('%s moves the times that it moves in MLflow', async (_what, method, path, fields, moved) => {
  const registry = await runningRegistry()
  await registered(registry)
  await age(registry)
  expect((await registry.mlflow(method, path, { ...fields })).status).toBe(200)
  expect((await model(registry)).last_updated_timestamp !== LONG_AGO).toBe(moved.model)
  expect((await version(registry)).last_updated_timestamp !== LONG_AGO).toBe(moved.version)
})

test('a renaming and the deletion of a version move the times of the model, a renaming those of its versions too', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await age(registry)
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '2' })
  expect((await model(registry)).last_updated_timestamp).toBeGreaterThan(LONG_AGO)
  await age(registry)
  await registry.mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'trout' })
  expect((await version(registry, 1, 'trout')).last_updated_timestamp).toBeGreaterThan(LONG_AGO)
})

test('archiving the others of a stage gives all that moved one time, and the model too', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 3)
  for (const number of [1, 2]) await transition(registry, number, 'Staging')
  await age(registry)
  await transition(registry, 3, 'STAGING', {}, { archive_existing_versions: true })
  const moved = await Promise.all([1, 2, 3].map((number) => version(registry, number)))
  expect(moved.map(({ current_stage }) => current_stage)).toEqual(['Archived', 'Archived', 'Staging'])
  expect(new Set([...moved, await model(registry)].map(({ last_updated_timestamp }) => last_updated_timestamp)).size).toBe(1)
})

test('a fresh version has the fields and the kinds of values that the reference gives it', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  expect(await version(registry)).toEqual({
    ...{ name: 'fish', version: '1', creation_timestamp: expect.any(Number), last_updated_timestamp: expect.any(Number), user_id: 'ana' },
    ...{ current_stage: 'None', description: '', source: 'runs:/fish-run-1/model', run_id: 'fish-run-1', status: 'READY', run_link: '' },
  })
  expect(await model(registry)).toEqual({
    ...{ name: 'fish', creation_timestamp: expect.any(Number), last_updated_timestamp: expect.any(Number), user_id: 'ana' },
    latest_versions: [expect.objectContaining({ version: '1' })],
  })
})

test('what is deleted and was never there is fine for tags and aliases, not for models and versions', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const { mlflow } = registry
  expect(await mlflow('DELETE', 'registered-models/delete-tag', { name: 'fish', key: 'none' })).toMatchObject({ status: 200, body: {} })
  expect(await mlflow('DELETE', 'model-versions/delete-tag', { ...key, key: 'none' })).toMatchObject({ status: 200, body: {} })
  expect(await mlflow('DELETE', 'registered-models/alias', { name: 'fish', alias: 'none' })).toMatchObject({ status: 200, body: {} })
  expect(await mlflow('DELETE', 'registered-models/delete', { name: 'none' })).toMatchObject({ status: 404 })
  expect(await mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '9' })).toMatchObject({ status: 404 })
})

test('after its deletion every call for a version answers that it is not there', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const { mlflow } = registry
  await mlflow('DELETE', 'model-versions/delete', key)
  const calls: [string, string, object][] = [
    ['GET', 'get', key],
    ['GET', 'get-download-uri', key],
    ['PATCH', 'update', { ...key, description: 'd' }],
    ['POST', 'transition-stage', { ...key, stage: 'Staging', archive_existing_versions: false }],
    ['DELETE', 'delete', key],
    ['POST', 'set-tag', { ...key, key: 'k', value: 'v' }],
    ['DELETE', 'delete-tag', { ...key, key: 'k' }],
  ]
  for (const [method, path, fields] of calls) {
    const answer = await mlflow(method, `model-versions/${path}`, { ...fields })
    expect({ path, ...answer.body }).toMatchObject({ path, error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'Model Version (name=fish, version=1) not found' })
  }
})

test('the new name of a renaming must be free', async () => {
  const registry = await runningRegistry()
  for (const name of ['fish', 'trout']) await registry.mlflow('POST', 'registered-models/create', { name })
  const answer = await registry.mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'trout' })
  expect(answer).toMatchObject({ status: 400, body: { error_code: 'RESOURCE_ALREADY_EXISTS', message: 'Registered Model (name=trout) already exists.' } })
})

test('numbers are taken as text or number, and what a newer client sends besides is ignored', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  for (const number of [1, '1', ' 1 ']) {
    const fields = { name: 'fish', version: number, key: 'k', value: 'v', added_later: { a: 1 } }
    expect((await registry.mlflow('POST', 'model-versions/set-tag', fields)).body).toEqual({})
  }
  expect(await registry.mlflow('GET', 'model-versions/get', { name: 'fish', version: '1.0' })).toMatchObject({
    status: 400,
    body: { message: "Parameter 'version' must be an integer, got '1.0'." },
  })
})

test('the download address of a copy is where the files of the original lie', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const { mlflow } = registry
  await registry.tracking.put('mlflow-artifacts:/1/r/artifacts/model', servableFiles())
  await mlflow('POST', 'registered-models/create', { name: 'copy' })
  await mlflow('POST', 'model-versions/create', { name: 'copy', source: 'models:/fish/1', run_link: '', description: 'a copy' })
  expect((await mlflow('GET', 'model-versions/get-download-uri', { name: 'copy', version: '1' })).body).toEqual({ artifact_uri: 'runs:/fish-run-1/model' })
  expect(await version(registry, 1, 'copy')).toMatchObject({ source: 'models:/fish/1', run_id: 'fish-run-1', description: 'a copy' })
})
