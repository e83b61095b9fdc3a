import type { Artifact } from '@millrace/contracts/events/fields.ts'
import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { scaleModel } from './testing/test-model.ts'
import { createWorld, startTestPod, stateOf, type TestPod, type World } from './testing/test-pod.ts'

async function ask(pod: TestPod, model: string, path = '') {
  const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }], outputs: [{ name: 'y' }] })
  const response = await pod.call(`/v2/models/${model}${path}/infer`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  return { status: response.status, version: response.headers.get('x-millrace-model-version'), retryAfter: response.headers.get('retry-after') }
}

/** How many versions were opened so far. */
async function loads(pod: TestPod): Promise<number> {
  const lines = (await pod.metrics.expose()).split('\n').filter((line) => line.startsWith('millrace_model_load_seconds_count') && line.includes('stage="open"'))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

async function sealed(world: World, count: number): Promise<Artifact[]> {
  const artifacts: Artifact[] = []
  for (let factor = 1; factor <= count; factor++) artifacts.push(await world.seal(scaleModel(factor)))
  return artifacts
}

const withSettings = (state: ServingState, settings: NonNullable<ServingState['settings']>): ServingState => ({ ...state, settings })

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** What each takes, once it was tried; later pods of this world know it from there. */
async function measure(world: World, artifacts: readonly Artifact[]): Promise<number[]> {
  const pod = await startTestPod(world)
  for (const [index, artifact] of artifacts.entries()) {
    await world.publish(stateOf(`measured-${index}`, { generation: 1, production: ['1', artifact] }))
    await pod.serves(`measured-${index}`, '1')
  }
  const bytes = (await pod.models()).map(({ memoryBytes }) => Number(memoryBytes))
  for (const index of artifacts.keys()) await world.publish(stateOf(`measured-${index}`, { generation: 2 }))
  await until(async () => (await pod.models()).length === 0)
  await pod.stop()
  return bytes
}

test('a rollback to the version that was kept needs no load, and it is kept no longer than it was told', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const [one, two] = await sealed(world, 2)
  if (!one || !two) throw new Error('two were sealed')
  const settings = { keepPreviousMinutes: 10 }
  await world.publish(withSettings(stateOf('scale', { generation: 1, production: ['1', one] }), settings))
  const first = await pod.serves('scale', '1')
  await world.publish(withSettings(stateOf('scale', { generation: 2, production: ['2', two] }), settings))
  await pod.serves('scale', '2')
  const before = await loads(pod)
  await world.publish(withSettings(stateOf('scale', { generation: 3, production: ['1', one] }), settings))
  expect((await pod.serves('scale', '1')).since).toBe(first.since)
  expect(await loads(pod)).toBe(before)
  expect(await ask(pod, 'scale')).toMatchObject({ status: 200, version: '1' })
  // Not kept any more: the next one is loaded again.
  await world.publish(stateOf('scale', { generation: 4, production: ['2', two] }))
  await pod.serves('scale', '2')
  await world.publish(stateOf('scale', { generation: 5, production: ['1', one] }))
  await until(async () => (await loads(pod)) > before)
})

test('what was not used for longest makes room for others, and is loaded again for the request that means it', async () => {
  const world = await createWorld()
  const [one, two, three] = await sealed(world, 3)
  if (!one || !two || !three) throw new Error('three were sealed')
  const measured = await measure(world, [one, two, three])
  // Room for any two of the three.
  const config = { INFERENCE_MODEL_MEMORY_BYTES: sum(measured) - Math.min(...measured) / 2, INFERENCE_UNLOAD_IDLE_MS: 0 }
  const pod = await startTestPod(world, { config })
  await world.publish(stateOf('a', { generation: 1, production: ['1', one] }))
  await pod.serves('a', '1')
  await world.publish(stateOf('b', { generation: 1, production: ['1', two] }))
  await pod.serves('b', '1')
  expect((await ask(pod, 'a')).status).toBe(200)
  await world.publish(stateOf('c', { generation: 1, production: ['1', three] }))
  await pod.serves('c', '1')
  const loaded = async () => (await pod.models()).filter(({ state }) => state === 'ready').map(({ model }) => model)
  expect(await loaded()).toEqual(['a', 'c'])
  expect(await ask(pod, 'b')).toMatchObject({ status: 200, version: '1' })
  expect(await loaded()).toEqual(['b', 'c'])
})

test('what has traffic is not unloaded: the next model waits, and is told to come back', async () => {
  const world = await createWorld()
  const [one, two] = await sealed(world, 2)
  if (!one || !two) throw new Error('two were sealed')
  const measured = await measure(world, [one, two])
  const pod = await startTestPod(world, { config: { INFERENCE_MODEL_MEMORY_BYTES: sum(measured) - Math.min(...measured) / 2 } })
  await world.publish(stateOf('a', { generation: 1, production: ['1', one] }))
  await pod.serves('a', '1')
  await world.publish(stateOf('b', { generation: 1, production: ['1', two] }))
  await until(async () => (await world.events('millrace.serving-events.v1', 'loadfailed')).some(({ model, kind }) => model === 'b' && kind === 'transient'))
  expect(await ask(pod, 'b')).toMatchObject({ status: 503, retryAfter: '1' })
  expect((await ask(pod, 'a')).status).toBe(200)
})

test('settings that change while a version serves hold without a load', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const [one] = await sealed(world, 1)
  if (!one) throw new Error('one was sealed')
  await world.publish(stateOf('scale', { generation: 1, production: ['1', one] }))
  const before = await pod.serves('scale', '1')
  await ask(pod, 'scale')
  await until(async () => (await world.events('millrace.inference-log.v1', 'logged')).length === 1)
  await world.publish(
    withSettings(stateOf('scale', { generation: 2, production: ['1', one] }), { log: { redact: { 'x[0]': 'drop', 'x[1]': 'hash', y: 'drop' } } }),
  )
  await until(async () => (await pod.models()).some(({ generation }) => generation === 2))
  expect((await pod.serves('scale', '1')).since).toBe(before.since)
  await ask(pod, 'scale')
  const logged = await until(async () => {
    const events = await world.events('millrace.inference-log.v1', 'logged')
    return events.length === 2 ? events : null
  })
  expect(logged[0]).toMatchObject({ features: { 'x[0]': 1, 'x[1]': 2 }, outputs: [{ name: 'y' }, { name: 'product' }] })
  expect(logged[1]?.['features']).toEqual({ 'x[1]': expect.stringMatching(/^hash:[0-9a-f]{32}$/) })
  expect(logged[1]?.['outputs']).toMatchObject([{ name: 'product' }])
})

test('a hundred promotions at once: most are passed over, the last one serves, and nothing of the others stays', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const artifacts = await sealed(world, 4)
  for (let generation = 1; generation <= 100; generation++) {
    const artifact = artifacts[generation % artifacts.length]
    if (artifact) await world.publish(stateOf('scale', { generation, production: [String(generation), artifact] }))
  }
  await pod.serves('scale', '100')
  expect(await loads(pod)).toBeLessThan(50)
  await until(async () => (await pod.metrics.expose()).split('\n').filter((line) => line.startsWith('millrace_model_loaded_info{')).length === 1)
  const [only, ...others] = await pod.models()
  expect([only?.version, others]).toEqual(['100', []])
})

test('a candidate goes before any Production version, takes none of their room, and comes back once there is room', async () => {
  const world = await createWorld()
  const [one, two, three] = await sealed(world, 3)
  if (!one || !two || !three) throw new Error('three were sealed')
  const measured = await measure(world, [one, two, three])
  const config = { INFERENCE_MODEL_MEMORY_BYTES: sum(measured) - Math.min(...measured) / 2, INFERENCE_UNLOAD_IDLE_MS: 0 }
  const pod = await startTestPod(world, { config })
  await world.publish(stateOf('a', { generation: 1, production: ['1', one], candidates: [['2', two, 'canary', 100]] }))
  await pod.serves('a', '2', 'canary')
  await world.publish(stateOf('b', { generation: 1, production: ['1', three] }))
  await pod.serves('b', '1')
  expect(await ask(pod, 'a')).toMatchObject({ status: 200, version: '1' })
  expect((await ask(pod, 'b')).status).toBe(200)
  await world.publish(stateOf('b', { generation: 2 }))
  await until(async () => (await ask(pod, 'a')).version === '2')
})
