import { inferResponse, modelMetadata, prediction } from '@millrace/contracts/http/inference.ts'
import { imageStatisticNames } from '@millrace/contracts/model/reference-profile.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import { openChain } from '@millrace/platform/model/onnx-chain.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { imageForm, picture } from './testing/picture.ts'
import { colourModel, scaleModel } from './testing/test-model.ts'
import { createWorld, type PodOptions, startTestPod, stateOf, type World } from './testing/test-pod.ts'

const [red, blue] = [picture([250, 10, 10]), picture([10, 10, 250])]

async function setUp(options: PodOptions = {}) {
  const world = await createWorld()
  const pod = await startTestPod(world, options)
  const promote = async (generation: number, tilt = 0) => {
    await world.publish(stateOf('colour', { generation, production: [String(generation), await world.seal(colourModel(tilt))] }))
    await pod.serves('colour', String(generation))
  }
  await promote(1)
  const predict = async (bytes: Uint8Array, headers: Record<string, string> = {}) => {
    const response = await pod.call('/predict', { method: 'POST', body: imageForm(bytes), headers })
    return { response, answer: prediction.parse(await response.json()) }
  }
  return { world, pod, promote, predict }
}

const logged = (world: World, count: number) =>
  until(async () => {
    const events = await world.events('millrace.inference-log.v1', 'inference')
    return events.length >= count ? events : null
  })

test('the same picture again is answered from the cache, and said so; each answer has its own id and log record', async () => {
  const { world, predict } = await setUp()
  const [first, second] = [await predict(red, { 'x-prediction-id': 'mine-1' }), await predict(red)]
  expect([first.answer.cached, second.answer.cached]).toEqual([false, true])
  expect(second.answer).toMatchObject({ confidence: first.answer.confidence, top_3_predictions: first.answer.top_3_predictions })
  expect(first.answer.prediction_id).toBe('mine-1')
  const events = await logged(world, 2)
  expect(events).toMatchObject([
    { predictionId: 'mine-1', cached: false, predictedClass: 'red', confidence: first.answer.confidence, arm: 'production', version: '1', sampleRate: 1 },
    { predictionId: second.answer.prediction_id, cached: true, predictedClass: 'red' },
  ])
  const features: Record<string, unknown> = Object(events[1]?.['features'])
  expect(Object.keys(features)).toEqual([...imageStatisticNames])
  expect(features).toEqual(events[0]?.['features'])
  expect(features['red_share']).toBeGreaterThan(0.8)
})

test('a promotion never serves the old version its answer', async () => {
  const { predict, promote } = await setUp()
  const before = await predict(blue)
  expect(before.answer).toMatchObject({ predicted_class: 'blue', model_version: '1' })
  await promote(2, 9)
  expect((await predict(blue)).answer).toMatchObject({ predicted_class: 'red', model_version: '2', cached: false })
  await promote(3)
  expect((await predict(blue)).answer).toMatchObject({ predicted_class: 'blue', model_version: '3', cached: true, confidence: before.answer.confidence })
})

test('the same question from many at once is computed once', async () => {
  const { pod, predict } = await setUp()
  const answers = await Promise.all(Array.from({ length: 10 }, () => predict(red)))
  expect(answers.filter(({ answer }) => !answer.cached)).toHaveLength(1)
  expect(await pod.metrics.expose()).toMatch(/millrace_inference_cache_requests_total\{.*result="miss".*\} 1\n/)
})

test('the cache can be switched off', async () => {
  const { predict } = await setUp({ config: { INFERENCE_CACHE_TTL_MS: 0 } })
  await predict(red)
  expect((await predict(red)).answer.cached).toBe(false)
})

test('an ill-formed prediction id of the caller is replaced', async () => {
  const { predict } = await setUp()
  expect((await predict(red, { 'x-prediction-id': 'no spaces please' })).answer.prediction_id).toMatch(/^[0-9a-f-]{36}$/)
})

test('a log that is away holds up no answer; what could not be told is counted', async () => {
  const away = () => Promise.reject(new TransientError('away'))
  const world = await createWorld()
  const pod = await startTestPod(world, { deps: { eventLog: { ...world.eventLog, publish: away } }, config: { INFERENCE_LOG_BUFFER: 2 } })
  await world.publish(stateOf('colour', { generation: 1, production: ['1', await world.seal(colourModel(0))] }))
  await pod.serves('colour', '1')
  for (let i = 0; i < 5; i++) expect((await pod.call('/predict', { method: 'POST', body: imageForm(red) })).status).toBe(200)
  await until(async () => /events_dropped_total\{topic="millrace.inference-log.v1",reason="full".*\} [1-9]/.test(await pod.metrics.expose()))
})

test('a sample rate of 0 logs nothing', async () => {
  const { world, pod, predict } = await setUp({ config: { INFERENCE_LOG_SAMPLE_RATE: 0 } })
  await predict(red)
  await pod.stop()
  expect(await world.events('millrace.inference-log.v1', 'inference')).toEqual([])
})

test('counts of each arm are published with the window they belong to', async () => {
  const { world, pod, predict } = await setUp()
  await predict(red)
  await predict(blue)
  await pod.publishCounts()
  const observed = await until(async () => {
    const events = await world.events('millrace.serving-events.v1', 'observed')
    return events.find(({ requests }) => requests === 2)
  })
  expect(observed).toMatchObject({ model: 'colour', version: '1', arm: 'production', generation: 1, failures: 0 })
})

test('a shadow is asked after the answer, under the same prediction id, and never answers itself', async () => {
  const { world, pod, predict } = await setUp()
  const [one, two] = [await world.seal(colourModel(0)), await world.seal(colourModel(9))]
  await world.publish(stateOf('colour', { generation: 2, production: ['1', one], candidates: [['2', two, 'shadow', 100]] }))
  await pod.serves('colour', '2', 'shadow')
  expect((await predict(blue, { 'x-prediction-id': 'pair' })).answer).toMatchObject({ predicted_class: 'blue', model_version: '1' })
  expect(await logged(world, 2)).toMatchObject([
    { predictionId: 'pair', arm: 'production', version: '1', predictedClass: 'blue' },
    { predictionId: 'pair', arm: 'shadow', version: '2', predictedClass: 'red' },
  ])
  expect(await pod.metrics.expose()).toMatch(/shadow_pairs_total\{.*outcome="differ".*\} 1\n/)
})

const infer = { method: 'POST', headers: { 'content-type': 'application/json' } }

test('tensors in, tensors out: as the runtime itself answers, alone or in a batch, all outputs or one', async () => {
  const world = await createWorld()
  const pod = await startTestPod(world)
  const files = scaleModel(3)
  await world.publish(stateOf('scale', { generation: 1, production: ['1', await world.seal(files)] }))
  await pod.serves('scale', '1')
  const oracle = await openChain([{ name: 'model.onnx', bytes: files['model.onnx'] }])
  const data = Array.from({ length: 80 }, (_, index) => index / 7)
  const expected = await oracle.run([{ name: 'x', datatype: 'FP32', shape: [40, 2], data: Float32Array.from(data) }])
  await oracle.release()
  const ask = async (body: unknown) => inferResponse.parse(await (await pod.call('/v2/models/scale/infer', { ...infer, body: JSON.stringify(body) })).json())
  const whole = await ask({ id: 'mine', inputs: [{ name: 'x', datatype: 'FP64', shape: [40, 2], data }] })
  expect(whole).toMatchObject({ model_name: 'scale', model_version: '1', id: 'mine' })
  expect(whole.outputs.map(({ name, data: values }) => [name, values])).toEqual(expected.map(({ name, data: values }) => [name, Array.from<unknown>(values)]))
  const rows = Array.from({ length: 40 }, (_, row) => ({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [data.slice(2 * row, 2 * row + 2)] }],
    outputs: [{ name: 'y' }],
  }))
  const single = await Promise.all(rows.map(ask))
  expect(single.flatMap(({ outputs }) => outputs[0]?.data ?? [])).toEqual(whole.outputs[0]?.data)
  expect(single[0]?.outputs).toHaveLength(1)
})

test('the protocol tells what is served', async () => {
  const { pod } = await setUp()
  const read = async (path: string): Promise<[number, unknown]> => {
    const response = await pod.call(path)
    return [response.status, await response.json()]
  }
  const extensions = ['binary_tensor_data', 'model_repository', 'schedule_policy', 'statistics']
  expect(await read('/v2')).toEqual([200, { name: 'millrace', version: '0.1.0', extensions }])
  expect(await read('/v2/health/live')).toEqual([200, { live: true }])
  expect(await read('/v2/health/ready')).toEqual([200, { live: true, ready: true }])
  expect(await read('/v2/models')).toEqual([200, { models: ['colour'] }])
  expect(await read('/v2/models/colour/ready')).toEqual([200, { name: 'colour', ready: true }])
  expect(await read('/v2/models/colour/versions/1/ready')).toEqual([200, { name: 'colour', ready: true }])
  expect((await read('/v2/models/colour/versions/2/ready'))[0]).toBe(404)
  const metadata = modelMetadata.parse((await read('/v2/models/colour'))[1])
  expect(metadata).toMatchObject({
    name: 'colour',
    versions: ['1'],
    platform: 'onnx_onnxv1',
    inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 8, 8, 3] }],
  })
  expect(metadata.properties).toMatchObject({ generation: '1' })
})
