import { expect, test } from 'vitest'
import { registered, runningRegistry, transition } from './testing/running-registry.ts'

const names = (body: Record<string, unknown>, key: string): unknown =>
  Array.isArray(body[key]) ? body[key].map((item) => [item.name, item.version].filter(Boolean).join('/')) : []

test('a registered model is created, read, described, tagged, renamed and deleted as MLflow does it', async () => {
  const registry = await runningRegistry()
  const { mlflow } = registry
  const created = await mlflow('POST', 'registered-models/create', {
    name: 'fish',
    tags: [{ key: 'team', value: 'lake' }],
    description: 'Which fish?',
    extra: 1,
  })
  expect(created.body).toEqual({
    registered_model: {
      ...{ name: 'fish', user_id: 'ana', description: 'Which fish?', tags: [{ key: 'team', value: 'lake' }] },
      ...{ creation_timestamp: expect.any(Number), last_updated_timestamp: expect.any(Number) },
    },
  })
  expect((await mlflow('POST', 'registered-models/create', { name: 'fish' })).body).toEqual({
    error_code: 'RESOURCE_ALREADY_EXISTS',
    message: 'Registered Model (name=fish) already exists.',
  })
  await mlflow('PATCH', 'registered-models/update', { name: 'fish', description: 'Fifteen species' })
  expect((await mlflow('POST', 'registered-models/set-tag', { name: 'fish', key: 'stage', value: '' })).body).toEqual({})
  expect((await mlflow('DELETE', 'registered-models/delete-tag', { name: 'fish', key: 'team' })).body).toEqual({})
  expect((await mlflow('DELETE', 'registered-models/delete-tag', { name: 'fish', key: 'never-set' })).status).toBe(200)
  const renamed = await mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'perch' })
  expect(renamed.body).toMatchObject({ registered_model: { name: 'perch', description: 'Fifteen species', tags: [{ key: 'stage', value: '' }] } })
  expect((await mlflow('GET', 'registered-models/get', { name: 'fish' })).status).toBe(404)
  expect((await mlflow('DELETE', 'registered-models/delete', { name: 'perch' })).body).toEqual({})
  expect((await mlflow('GET', 'registered-models/get', { name: 'perch' })).body).toEqual({
    error_code: 'RESOURCE_DOES_NOT_EXIST',
    message: 'Registered Model with name=perch not found',
  })
})

test('a version answers READY at once when its files can be sealed, with the fields that the client expects', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const { body } = await registry.mlflow('GET', 'model-versions/get', { name: 'fish', version: 1 })
  expect(body).toEqual({
    model_version: {
      ...{ name: 'fish', version: '1', user_id: 'ana', current_stage: 'None', description: '', run_link: '', status: 'READY' },
      ...{ source: 'runs:/fish-run-1/model', run_id: 'fish-run-1', creation_timestamp: expect.any(Number), last_updated_timestamp: expect.any(Number) },
    },
  })
  expect((await registry.mlflow('GET', 'model-versions/get-download-uri', { name: 'fish', version: '1' })).body).toEqual({
    artifact_uri: 'runs:/fish-run-1/model',
  })
})

test('both prefixes lead to the same model', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  expect((await registry.send('GET', '/ajax-api/2.0/mlflow/registered-models/get?name=fish')).body).toMatchObject({ registered_model: { name: 'fish' } })
})

test('the newest version of each stage is found, all stages where none is named, stages in any case', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 3)
  await transition(registry, 1, 'production')
  const latest = async (method: string, fields: object) =>
    names((await registry.mlflow(method, 'registered-models/get-latest-versions', { name: 'fish', ...fields })).body, 'model_versions')
  expect(await latest('POST', {})).toEqual(['fish/3', 'fish/1'])
  expect(await latest('POST', { stages: ['PRODUCTION'] })).toEqual(['fish/1'])
  expect(await latest('GET', { stages: ['none', 'Production'] })).toEqual(['fish/3', 'fish/1'])
  expect(await latest('GET', { stages: 'Staging' })).toEqual([])
})

test('an alias is set, moved, read, resolved as latest and removed; a deleted version takes its aliases along', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  const { mlflow } = registry
  const read = (alias: string) => mlflow('GET', 'registered-models/alias', { name: 'fish', alias })
  for (const version of ['1', '2', 2]) expect((await mlflow('POST', 'registered-models/alias', { name: 'fish', alias: 'champion', version })).body).toEqual({})
  expect((await read('champion')).body).toMatchObject({ model_version: { version: '2', aliases: ['champion'] } })
  expect((await read('latest')).body).toMatchObject({ model_version: { version: '2' } })
  await mlflow('POST', 'registered-models/alias', { name: 'fish', alias: 'other', version: '1' })
  expect((await mlflow('GET', 'registered-models/get', { name: 'fish' })).body).toMatchObject({
    registered_model: {
      aliases: [
        { alias: 'champion', version: '2' },
        { alias: 'other', version: '1' },
      ],
    },
  })
  await mlflow('DELETE', 'registered-models/alias', { name: 'fish', alias: 'other' })
  expect((await mlflow('DELETE', 'registered-models/alias', { name: 'fish', alias: 'other' })).status).toBe(200)
  await mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '2' })
  expect(await read('champion')).toMatchObject({
    status: 400,
    body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'Registered model alias champion not found.' },
  })
  await registry.settled()
  const changes = (await registry.published()).filter((event) => event.type === 'modelalias.changed.v1')
  expect(changes.map(({ data }) => [data['alias'], data['previousVersion'], data['version']])).toEqual([
    ['champion', null, '1'],
    ['champion', '1', '2'],
    ['other', null, '1'],
    ['other', '1', null],
    ['champion', '2', null],
  ])
})

test('numbers of deleted versions are never used again, even after the model itself was deleted', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '2' })
  expect(await registry.mlflow('GET', 'model-versions/get', { name: 'fish', version: '2' })).toMatchObject({
    status: 404,
    body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'Model Version (name=fish, version=2) not found' },
  })
  await registered(registry)
  expect((await registry.mlflow('GET', 'model-versions/get', { name: 'fish', version: '3' })).status).toBe(200)
  await registry.mlflow('DELETE', 'registered-models/delete', { name: 'fish' })
  await registered(registry)
  expect((await registry.mlflow('GET', 'model-versions/get', { name: 'fish', version: '4' })).status).toBe(200)
})

test('models and versions are searched with filter, order and pages', async () => {
  const registry = await runningRegistry()
  for (const name of ['perch', 'pike', 'roach']) await registered(registry, name, 2)
  const { mlflow } = registry
  await mlflow('POST', 'registered-models/set-tag', { name: 'pike', key: 'team', value: 'lake' })
  await mlflow('POST', 'model-versions/set-tag', { name: 'pike', version: '1', key: 'quality', value: 'good' })
  const models = async (fields: object) => names((await mlflow('GET', 'registered-models/search', { ...fields })).body, 'registered_models')
  const versions = async (fields: object) => names((await mlflow('GET', 'model-versions/search', { ...fields })).body, 'model_versions')
  expect(await models({ filter: "name LIKE 'p%'" })).toEqual(['perch', 'pike'])
  expect(await models({ filter: "tags.team = 'lake' AND tag.`mlflow.prompt.is_prompt` != 'true'" })).toEqual(['pike'])
  expect(await models({ order_by: ['name DESC'] })).toEqual(['roach', 'pike', 'perch'])
  expect(await versions({ filter: "name = 'pike' and version_number > 1" })).toEqual(['pike/2'])
  expect(await versions({ filter: "run_id IN ('perch-run-1','roach-run-2')", order_by: 'name' })).toEqual(['perch/1', 'roach/2'])
  expect(await versions({ filter: "tags.quality = 'good'" })).toEqual(['pike/1'])
  expect(await versions({ filter: "stage = 'none' AND name = 'pike'", order_by: ['version_number ASC'] })).toEqual(['pike/1', 'pike/2'])
  const first = await mlflow('GET', 'model-versions/search', { max_results: 4, order_by: ['name', 'version_number'] })
  const token = first.body['next_page_token']
  const second = await mlflow('GET', 'model-versions/search', { max_results: 2, order_by: ['name', 'version_number'], page_token: token })
  expect([names(first.body, 'model_versions'), names(second.body, 'model_versions')]).toEqual([
    ['perch/1', 'perch/2', 'pike/1', 'pike/2'],
    ['roach/1', 'roach/2'],
  ])
  expect(second.body).not.toHaveProperty('next_page_token')
})

test('prompts are models that only those see who ask for them', async () => {
  const registry = await runningRegistry()
  const { mlflow } = registry
  const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]
  await mlflow('POST', 'registered-models/create', { name: 'greeting', tags })
  const version = await mlflow('POST', 'model-versions/create', { name: 'greeting', source: 'prompt-template', tags })
  expect(version.body).toMatchObject({ model_version: { status: 'READY', version: '1' } })
  const found = async (fields: object) => names((await mlflow('GET', 'registered-models/search', { ...fields })).body, 'registered_models')
  expect(await found({})).toEqual([])
  expect(await found({ filter: "tags.`mlflow.prompt.is_prompt` = 'true'" })).toEqual(['greeting'])
  expect((await registry.send('GET', '/api/v1/models')).body).toEqual({ models: [] })
})
