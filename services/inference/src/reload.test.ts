import { Readable } from 'node:stream'
import { MODEL_SPEC_FILE, modelSpec } from '@millrace/contracts/model/model-spec.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { json, scaleModel, slowModel } from './testing/test-model.ts'
import { createWorld, startTestPod, stateOf, type TestPod, type World } from './testing/test-pod.ts'

const failuresIn = (world: World) => world.events('millrace.serving-events.v1', 'loadfailed')
const failure = (world: World, count = 1) =>
  until(async () => {
    const events = await failuresIn(world)
    return events.length >= count ? events : null
  })

async function ask(pod: TestPod, path = '/v2/models/scale/infer'): Promise<{ status: number; version: string | null; arm: string | null; y: unknown }> {
  const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 10] }], outputs: [{ name: 'y' }] })
  const response = await pod.call(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  const answer: { outputs?: { data: number[] }[] } = Object(await response.json())
  const { headers, status } = response
  return { status, version: headers.get('x-millrace-model-version'), arm: headers.get('x-millrace-arm'), y: answer.outputs?.[0]?.data }
}

/** The description of a model with something changed. */
function respecified(files: Record<string, Uint8Array>, change: object): Record<string, Uint8Array> {
  const spec = modelSpec.parse(JSON.parse(String(files[MODEL_SPEC_FILE])))
  return { ...files, [MODEL_SPEC_FILE]: json({ ...spec, ...change }) }
}

const good = scaleModel(2)
const pair = (name: string, datatype = 'FP32') => ({ name, datatype, shape: [-1, 2] })

test.each([
  ['bytes that are no ONNX model', { ...good, 'model.onnx': Buffer.from('not a model') }, 'verify'],
  ['no description', { 'example.json': json({}) }, 'verify'],
  ['a description that is not JSON', { ...good, [MODEL_SPEC_FILE]: Buffer.from('{') }, 'verify'],
  ['a chain that names a missing file', respecified(good, { chain: [{ file: 'other.onnx' }] }), 'verify'],
  ['an example that does not fit', { ...good, 'example.json': json({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] }) }, 'warm-up'],
  ['a signature that the model does not have', respecified(good, { signature: { inputs: [pair('x')], outputs: [pair('z')] } }), 'signature'],
])('%s: the old version serves on, and the failure is told once, as deterministic', async (_, files, stage) => {
  const world = await createWorld()
  const pod = await startTestPod(world, { config: { INFERENCE_RECONCILE_MS: 50 } })
  await world.publish(stateOf('scale', { generation: 1, production: ['1', await world.seal(scaleModel(1))] }))
  await pod.serves('scale', '1')
  await world.publish(stateOf('scale', { generation: 2, production: ['2', await world.seal(files)] }))
  const [told] = await failure(world)
  expect(told).toMatchObject({ model: 'scale', version: '2', generation: 2, kind: 'deterministic', stage })
  expect(await ask(pod)).toMatchObject({ status: 200, version: '1', y: [2, 11] })
  const asked = world.registry.asked
  await until(() => world.registry.asked > asked + 2)
  expect(await failuresIn(world)).toHaveLength(1)
  expect(await pod.models()).toMatchObject([
    { version: '1', state: 'ready' },
    { version: '2', state: 'failed' },
  ])
})

test('a model that needs more memory than the pod has is refused before it is opened', async () => {
  const world = await createWorld()
  await startTestPod(world, { config: { INFERENCE_MODEL_MEMORY_BYTES: 100 } })
  await world.publish(stateOf('scale', { generation: 1, production: ['1', await world.seal(good)] }))
  expect(await failure(world)).toMatchObject([{ kind: 'deterministic', stage: 'memory' }])
})

test('a model that does not come to an end is tried in another process, twice, and then in quarantine, after a restart too', async () => {
  const world = await createWorld()
  const config = { INFERENCE_PROBE_TIMEOUT_MS: 400 }
  const pod = await startTestPod(world, { config })
  const slow = await world.seal(slowModel())
  await world.publish(stateOf('scale', { generation: 1, production: ['1', await world.seal(good)] }))
  await pod.serves('scale', '1')
  await world.publish(stateOf('scale', { generation: 2, production: ['2', slow] }))
  const [told] = await failure(world)
  expect(told).toMatchObject({ kind: 'deterministic', stage: 'probe' })
  expect(String(told?.['message'])).toContain('quarantine after 2 crashes')
  expect(await ask(pod)).toMatchObject({ status: 200, version: '1' })
  await pod.stop()

  await startTestPod(world, { config })
  const [, again] = await failure(world, 2)
  expect(again).toMatchObject({ version: '2', stage: 'probe' })
})

/** A store that does what `open` says first. */
const withOpen = (blobs: Blobs, open: (sha256: string) => Promise<Readable | null>): Blobs => ({
  ...blobs,
  open: async (sha256, range) => (await open(sha256)) ?? blobs.open(sha256, range),
})

test('a store that is away is tried three times, told as transient, and tried again at the next reconcile', async () => {
  const world = await createWorld()
  const store: { away: boolean; calls: number } = { away: true, calls: 0 }
  const blobs = withOpen(world.blobs, async () => {
    store.calls++
    if (store.away) throw new TransientError('the store is away')
    return null
  })
  const pod = await startTestPod(world, { deps: { blobs }, config: { INFERENCE_RECONCILE_MS: 200 } })
  await world.publish(stateOf('scale', { generation: 1, production: ['1', await world.seal(good)] }))
  expect(await failure(world)).toMatchObject([{ kind: 'transient', stage: 'fetch', message: 'the store is away' }])
  expect(store.calls).toBeGreaterThanOrEqual(3)
  store.away = false
  await pod.serves('scale', '1')
  expect(await failuresIn(world)).toHaveLength(1)
})

test('content that does not have its digest never reaches the runtime', async () => {
  const world = await createWorld()
  const artifact = await world.seal(good)
  const blobs = withOpen(world.blobs, async (sha256) => (sha256 === artifact.sha256 ? null : Readable.from([Buffer.from('something else')])))
  await startTestPod(world, { deps: { blobs } })
  await world.publish(stateOf('scale', { generation: 1, production: ['1', artifact] }))
  expect(await failure(world)).toMatchObject([{ kind: 'deterministic', stage: 'verify' }])
})

test('with registry, log and store away a restarted pod serves what it served before', async () => {
  const world = await createWorld()
  const first = await startTestPod(world)
  await world.publish(stateOf('scale', { generation: 3, production: ['1', await world.seal(good)] }))
  await first.serves('scale', '1')
  await first.stop()
  world.registry.away = true
  const away = () => Promise.reject(new TransientError('away'))
  const blobs = withOpen(world.blobs, away)
  const eventLog = { ...world.eventLog, publish: away, broadcast: away }
  const second = await startTestPod(world, { deps: { blobs, eventLog } })
  await second.serves('scale', '1')
  expect(await ask(second)).toMatchObject({ status: 200, version: '1', y: [3, 21] })
  expect((await second.call('/ready')).status).toBe(200)
})

test('what the log missed comes with the next look at the registry', async () => {
  const world = await createWorld()
  const silent = { ...world.eventLog, broadcast: async () => ({ value: null, stop: async () => undefined }) }
  const pod = await startTestPod(world, { deps: { eventLog: silent }, config: { INFERENCE_RECONCILE_MS: 50 } })
  await world.publish(stateOf('scale', { generation: 1, production: ['1', await world.seal(good)] }))
  await pod.serves('scale', '1')
})

test('records that come late, twice or out of order change nothing', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const [one, two] = [await world.seal(scaleModel(1)), await world.seal(scaleModel(2))]
  await world.publish(stateOf('scale', { generation: 5, production: ['2', two] }))
  await pod.serves('scale', '2')
  await world.publish(stateOf('scale', { generation: 4, production: ['1', one] }))
  await world.publish(stateOf('scale', { generation: 5, production: ['1', one] }))
  await world.publish(stateOf('other', { generation: 1, production: ['1', one] }))
  await pod.serves('other', '1')
  expect(await ask(pod)).toMatchObject({ version: '2', y: [3, 21] })
})

test('without a Production version the model is not found, and its fence stays', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const artifact = await world.seal(good)
  await world.publish(stateOf('scale', { generation: 1, production: ['1', artifact] }))
  await pod.serves('scale', '1')
  await world.publish(stateOf('scale', { generation: 2 }))
  await until(async () => (await ask(pod)).status === 404)
  await world.publish(stateOf('scale', { generation: 1, production: ['1', artifact] }))
  await world.publish(stateOf('scale', { generation: 3, production: ['1', artifact] }))
  await pod.serves('scale', '1')
})

test('a candidate answers its share and when it is named; one that cannot be loaded leaves its share to Production', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const [one, two, broken] = [await world.seal(scaleModel(1)), await world.seal(scaleModel(2)), await world.seal({ ...good, 'model.onnx': Buffer.from('no') })]
  await world.publish(
    stateOf('scale', {
      generation: 1,
      production: ['1', one],
      candidates: [
        ['2', two, 'canary', 100],
        ['3', broken, 'ab', 0],
        ['4', two, 'staging', 0],
      ],
    }),
  )
  await pod.serves('scale', '2', 'canary')
  await pod.serves('scale', '4', 'staging')
  expect(await ask(pod)).toMatchObject({ version: '2', arm: 'canary', y: [3, 21] })
  expect(await ask(pod, '/v2/models/scale/versions/1/infer')).toMatchObject({ version: '1', arm: 'pinned', y: [2, 11] })
  expect(await ask(pod, '/v2/models/scale/versions/staging/infer')).toMatchObject({ version: '4', arm: 'pinned' })
  expect((await ask(pod, '/v2/models/scale/versions/9/infer')).status).toBe(404)

  await world.publish(stateOf('scale', { generation: 2, production: ['1', one], candidates: [['3', broken, 'canary', 100]] }))
  await until(async () => (await failuresIn(world)).some(({ generation }) => generation === 2))
  expect(await ask(pod)).toMatchObject({ version: '1', arm: 'production' })
})

test('a canary that is promoted is not loaded again', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const [one, two] = [await world.seal(scaleModel(1)), await world.seal(scaleModel(2))]
  await world.publish(stateOf('scale', { generation: 1, production: ['1', one], candidates: [['2', two, 'canary', 5]] }))
  const canary = await pod.serves('scale', '2', 'canary')
  await world.publish(stateOf('scale', { generation: 2, production: ['2', two] }))
  const production = await pod.serves('scale', '2')
  expect(production.since).toBe(canary.since)
})
