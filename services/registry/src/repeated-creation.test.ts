import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { type RunningRegistry, runningRegistry, servableFiles } from './testing/running-registry.ts'

const request = { name: 'fish', source: 'runs:/r/model', description: 'd', tags: [{ key: 'a', value: 'b' }] }
const create = (registry: RunningRegistry, fields: object = {}) => registry.mlflow('POST', 'model-versions/create', { ...request, ...fields })
const numberOf = (answer: { body: Record<string, unknown> }): string => Object(answer.body['model_version']).version

async function prepared(): Promise<{ registry: RunningRegistry; open: () => void }> {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r/model', servableFiles())
  const { promise, resolve } = Promise.withResolvers<void>()
  registry.tracking.gate = promise
  return { registry, open: resolve }
}

/** A client that goes away before it is answered. */
async function giveUp(registry: RunningRegistry): Promise<void> {
  const leaving = new AbortController()
  const before = registry.tracking.seals
  const asked = registry.mlflow('POST', 'model-versions/create', request, { signal: leaving.signal })
  await until(() => registry.tracking.seals > before)
  leaving.abort()
  await expect(asked).rejects.toThrow()
}

const untilAbandoned = (registry: RunningRegistry) =>
  until(async () => (await registry.database.query('select 1 from model_version where abandoned_at is not null')).length > 0)

test('a client that lost the answer and asks again gets the version that was made for it', async () => {
  const { registry, open } = await prepared()
  await giveUp(registry)
  open()
  await untilAbandoned(registry)
  expect(await create(registry)).toMatchObject({ body: { model_version: { version: '1', status: 'READY' } } })
  expect(numberOf(await create(registry))).toBe('2')
})

test('after a restart in the middle too', async () => {
  const { registry, open } = await prepared()
  open()
  await create(registry)
  // As if the process had been killed before it answered.
  await registry.database.query('update model_version set answered = false')
  await registry.restart()
  expect(numberOf(await create(registry))).toBe('1')
  expect(numberOf(await create(registry))).toBe('2')
})

test.each([
  ['of another source', { source: 'runs:/r/other' }],
  ['with another description', { description: 'e' }],
  ['with other tags', { tags: [] }],
  ['of a named run', { run_id: 'r2' }],
])('a request %s makes a version of its own', async (_what, fields) => {
  const { registry, open } = await prepared()
  await registry.tracking.put('runs:/r/other', servableFiles())
  await giveUp(registry)
  open()
  await untilAbandoned(registry)
  expect(numberOf(await create(registry, fields))).toBe('2')
})

test('a version that was deleted in the meantime does not come back', async () => {
  const { registry, open } = await prepared()
  await giveUp(registry)
  open()
  await untilAbandoned(registry)
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '1' })
  expect(numberOf(await create(registry))).toBe('2')
})
