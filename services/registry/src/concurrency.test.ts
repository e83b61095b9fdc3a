import { expect, test } from 'vitest'
import { registered, runningRegistry, servableFiles, transition } from './testing/running-registry.ts'

const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => work(index)))

test('of many clients that create one name at once, one wins and the others are told that it exists', async () => {
  const registry = await runningRegistry()
  const answers = await times(8, () => registry.mlflow('POST', 'registered-models/create', { name: 'fish' }))
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
  expect(answers.filter((answer) => answer.body['error_code'] === 'RESOURCE_ALREADY_EXISTS')).toHaveLength(7)
})

test('versions created at once get numbers of their own without a gap', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r/model', servableFiles())
  const answers = await times(8, () => registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r/model' }))
  const versions = answers.map((answer) => Number(Object(answer.body['model_version']).version))
  expect(versions.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test('a version whose creation is repeated under one key is created once', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r/model', servableFiles())
  const headers = { 'idempotency-key': 'k' }
  const answers = await times(4, () => registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r/model' }, { headers }))
  expect(answers.map((answer) => Object(answer.body['model_version']).version)).toEqual(['1', '1', '1', '1'])
})

test('promotions that race leave one Production version, and one generation and one event each', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 5)
  const answers = await times(5, (index) => transition(registry, index + 1, 'Production'))
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200])
  await registry.settled()
  const states = (await registry.published('millrace.serving-state.v1')).map((event) => event.data)
  expect(states.map((state) => state['generation'])).toEqual([1, 2, 3, 4, 5])
  const overview = (await registry.send('GET', '/api/v1/models/fish')).body
  const stages = Array.isArray(overview['versions']) ? overview['versions'].map((version) => version.stage).toSorted() : []
  expect(stages).toEqual(['Archived', 'Archived', 'Archived', 'Archived', 'Production'])
  expect(states.at(-1)).toMatchObject({ production: { version: Object(overview['production']).version } })
})

test('of decisions made on the same generation, one is carried out', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 4)
  const answers = await times(4, (index) => transition(registry, index + 1, 'Production', { service: 'promoter' }, { expected_generation: 0 }))
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
  expect(answers.filter((answer) => answer.body['error_code'] === 'STALE_GENERATION')).toHaveLength(3)
})

test('renames that cross end with every model under one name', async () => {
  const registry = await runningRegistry()
  for (const name of ['a', 'b']) await registry.mlflow('POST', 'registered-models/create', { name })
  const rename = (name: string, to: string) => registry.mlflow('POST', 'registered-models/rename', { name, new_name: to })
  const answers = await Promise.all([rename('a', 'c'), rename('b', 'c')])
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 400])
  const found = (await registry.mlflow('GET', 'registered-models/search')).body['registered_models']
  expect(Array.isArray(found) ? found.map((model) => model.name) : []).toHaveLength(2)
})
