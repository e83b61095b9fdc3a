import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { endlessModel, greedyModel, hungryModel } from './testing/nasty-models.ts'
import { scaleModel } from './testing/test-model.ts'
import { createWorld, startTestPod, stateOf, type TestPod, type World } from './testing/test-pod.ts'

async function ask(pod: TestPod, model: string, x: number, timeoutMs = 20_000) {
  const body = JSON.stringify({
    parameters: { timeout: timeoutMs * 1000 },
    inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [x, x] }],
    outputs: [{ name: 'y' }],
  })
  const response = await pod.call(`/v2/models/${model}/infer`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  return { status: response.status, version: response.headers.get('x-millrace-model-version'), retryAfter: response.headers.get('retry-after') }
}

const failures = (world: World, version: string) =>
  until(async () => (await world.events('millrace.serving-events.v1', 'loadfailed')).find((event) => event['version'] === version) ?? null)

test.each([
  ['loops for ever', endlessModel()],
  ['asks for more memory than there is', greedyModel()],
])('a model that %s is stopped before it serves; the one before it and all others go on', async (_, nasty) => {
  const world = await createWorld()
  const pod = await startTestPod(world, { config: { INFERENCE_PROBE_TIMEOUT_MS: 500, INFERENCE_PROBE_MEMORY_BYTES: 1024 ** 3 } })
  const [good, bad] = [await world.seal(scaleModel(2)), await world.seal(nasty)]
  await world.publish(stateOf('scale', { generation: 1, production: ['1', good] }))
  await pod.serves('scale', '1')
  await world.publish(stateOf('scale', { generation: 2, production: ['2', bad] }))
  // While that one is tried, another model is loaded and answers.
  await world.publish(stateOf('other', { generation: 1, production: ['1', good] }))
  await pod.serves('other', '1')
  expect(await ask(pod, 'other', 1)).toMatchObject({ status: 200 })
  expect(await failures(world, '2')).toMatchObject({ kind: 'deterministic', stage: 'probe' })
  expect(await ask(pod, 'scale', 1)).toMatchObject({ status: 200, version: '1' })
})

test('a slow answer of one model holds up neither another model nor, beyond its deadline, its caller', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  await world.publish(stateOf('slow', { generation: 1, production: ['1', await world.seal(hungryModel())] }))
  await world.publish(stateOf('fast', { generation: 1, production: ['1', await world.seal(scaleModel(2))] }))
  await pod.serves('slow', '1')
  await pod.serves('fast', '1')
  const order: string[] = []
  const slow = ask(pod, 'slow', 2000).then(({ status }) => order.push(`slow ${status}`))
  const late = ask(pod, 'slow', 1499, 100).then(({ status }) => order.push(`late ${status}`))
  for (let x = 1; x <= 20; x++) order.push(`fast ${(await ask(pod, 'fast', x)).status}`)
  await Promise.all([slow, late])
  expect(order.filter((entry) => entry === 'fast 200')).toHaveLength(20)
  expect(order.indexOf('fast 200')).toBeLessThan(order.indexOf('slow 200'))
  // Out of time in the queue, or at the door, where that could be foreseen.
  expect(order.some((entry) => /^late 50[34]$/.test(entry))).toBe(true)
})

test('a request that asks for more memory than there is fails alone', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  await world.publish(stateOf('hungry', { generation: 1, production: ['1', await world.seal(hungryModel())] }))
  await pod.serves('hungry', '1')
  expect((await ask(pod, 'hungry', 4_000_000)).status).toBe(500)
  expect((await ask(pod, 'hungry', 2)).status).toBe(200)
})

test('requests that do not come to an end cost their threads, and the second puts the version into quarantine', async () => {
  const world = await createWorld()
  const config = { INFERENCE_RUN_LIMIT_MS: 300, INFERENCE_DEADLINE_MS: 300 }
  const pod = await startTestPod(world, { config })
  await world.publish(stateOf('slow', { generation: 1, production: ['1', await world.seal(hungryModel())] }))
  await world.publish(stateOf('fast', { generation: 1, production: ['1', await world.seal(scaleModel(2))] }))
  await pod.serves('slow', '1')
  await pod.serves('fast', '1')
  expect((await ask(pod, 'slow', 2500)).status).toBe(504)
  // The thread is replaced.
  await until(async () => (await ask(pod, 'slow', 1)).status === 200)
  expect((await ask(pod, 'slow', 2501)).status).toBe(504)
  expect(await failures(world, '1')).toMatchObject({ model: 'slow', kind: 'deterministic', message: expect.stringContaining('quarantine') })
  expect(await ask(pod, 'slow', 1)).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) })
  expect((await ask(pod, 'fast', 1)).status).toBe(200)
})
