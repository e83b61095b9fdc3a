import { expect, test } from 'vitest'
import { type RunningRegistry, registered, runningRegistry, transition } from './testing/running-registry.ts'

const path = '/api/v1/models/fish/serving-settings'
const settings = { maxBatchRows: 8, priority: 'high', cache: { ttlSeconds: 60 }, log: { sampleRate: 0.5, redact: { email: 'hash' } } }
const put = (registry: RunningRegistry, body: object, sending: { role?: 'editor'; headers?: Record<string, string> } = {}) =>
  registry.send('PUT', path, { body, ...sending })
const states = async (registry: RunningRegistry) => {
  await registry.settled()
  return (await registry.published('millrace.serving-state.v1')).map(({ data }) => data)
}

test('settings reach pods in one more generation, are kept by later promotions, and leave a line in the audit trail', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await transition(registry, 1, 'Production')
  expect((await registry.send('GET', path)).body).toEqual({ model: 'fish', generation: 1, settings: {} })
  expect((await put(registry, { settings, expectedGeneration: 1, reason: 'small batches' })).body).toEqual({ generation: 2 })
  await transition(registry, 2, 'Production')
  const published = await states(registry)
  expect(published[0]).not.toHaveProperty('settings')
  expect(published.slice(1)).toMatchObject([
    { generation: 2, production: { version: '1' }, settings },
    { generation: 3, production: { version: '2' }, settings },
  ])
  expect((await registry.send('GET', path, { role: 'admin' })).body).toEqual({ model: 'fish', generation: 3, settings })
  const trail = (await registry.send('GET', '/api/v1/models/fish/audit')).body['entries']
  const line = { action: 'set-serving-settings', actor: 'ana', reason: 'small batches', from: '{}', details: { generation: 2, settings } }
  expect(trail).toContainEqual(expect.objectContaining(line))
})

test('what changes nothing takes no generation, a repeated key gets the first answer, and a stale generation is refused', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  await transition(registry, 1, 'Production')
  const headers = { 'idempotency-key': 'k-1' }
  const first = await put(registry, { settings, expectedGeneration: 1 }, { headers })
  expect((await put(registry, { settings, expectedGeneration: 2 })).body).toEqual({ generation: 2 })
  await put(registry, { settings: {}, expectedGeneration: 2 })
  expect((await put(registry, { settings, expectedGeneration: 1 }, { headers })).body).toEqual(first.body)
  expect((await put(registry, { settings, expectedGeneration: 1 })).status).toBe(409)
  expect((await states(registry)).at(-1)).not.toHaveProperty('settings')
})

test('settings move with a model that is renamed, and are gone with one that is deleted', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  await put(registry, { settings, expectedGeneration: 0 })
  await registry.mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'trout' })
  expect((await registry.send('GET', '/api/v1/models/trout/serving-settings')).body).toMatchObject({ settings })
  await registry.mlflow('DELETE', 'registered-models/delete', { name: 'trout' })
  await registered(registry, 'trout')
  expect((await registry.send('GET', '/api/v1/models/trout/serving-settings')).body).toMatchObject({ settings: {} })
})

test.each([
  ['an unknown setting', { settings: { maxBatch: 3 }, expectedGeneration: 0 }, 'maxBatch'],
  ['a redaction that is not known', { settings: { log: { redact: { email: 'forget' } } }, expectedGeneration: 0 }, 'email'],
  ['a batch of no rows', { settings: { maxBatchRows: 0 }, expectedGeneration: 0 }, 'maxBatchRows'],
  ['no generation', { settings }, 'expectedGeneration'],
])('%s is refused by name', async (_, body, named) => {
  const registry = await runningRegistry()
  await registered(registry)
  const answer = await put(registry, body)
  expect(answer.status).toBe(400)
  expect(JSON.stringify(answer.body)).toContain(named)
})

test('only who may promote may set them, and only of a model that is there', async () => {
  const registry = await runningRegistry()
  expect((await put(registry, { settings, expectedGeneration: 0 })).status).toBe(404)
  expect((await registry.send('GET', path)).status).toBe(404)
  await registered(registry)
  expect((await put(registry, { settings, expectedGeneration: 0 }, { role: 'editor' })).status).toBe(403)
})
