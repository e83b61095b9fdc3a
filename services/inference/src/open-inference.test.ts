import { repositoryIndex } from '@millrace/contracts/http/inference.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { echoModel } from './testing/echo-model.ts'
import { errorSchema, inferenceResponseSchema, modelMetadataSchema, serverMetadataSchema } from './testing/open-inference-schemas.ts'
import { startServedPod } from './testing/served-pod.ts'
import { scaleModel } from './testing/test-model.ts'
import { stateOf } from './testing/test-pod.ts'

const LENGTH = 'inference-header-content-length'
const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer)

/** A request of JSON with bytes behind it. */
function mixed(json: unknown, ...tensors: Buffer[]): [Buffer, Record<string, string>] {
  const head = Buffer.from(JSON.stringify(json))
  return [Buffer.concat([head, ...tensors]), { 'content-type': 'application/octet-stream', [LENGTH]: String(head.length) }]
}

const x = (sizeBytes: number, shape = [1, 2]) => ({ name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: sizeBytes } })
const INFER = '/v2/models/scale/infer'
const setUp = () => startServedPod({ scale: scaleModel(3) })

test('answers are what the published document of the protocol asks for', async () => {
  const { call, post } = await setUp()
  const cases = [
    ['/v2', serverMetadataSchema],
    ['/v2/', serverMetadataSchema],
    ['/v2/models/scale', modelMetadataSchema],
    ['/v2/models/scale/versions/1', modelMetadataSchema],
    ['/v2/models/none', errorSchema],
    ['/v2/models/scale/versions/9', errorSchema],
  ] as const
  for (const [path, schema] of cases) z.fromJSONSchema(schema).parse((await call(path)).body)
  const input = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }
  const answer = await post(INFER, { id: '42', inputs: [input] })
  z.fromJSONSchema(inferenceResponseSchema).parse(answer.body)
  z.fromJSONSchema(errorSchema).parse((await post(INFER, { inputs: [] })).body)
  expect(answer.body).toMatchObject({ id: '42', model_name: 'scale', model_version: '1' })
  for (const name of ['x-millrace-model-version', 'x-millrace-arm', 'x-millrace-generation', 'x-prediction-id', 'x-request-id']) {
    expect([name, answer.headers.get(name)]).toEqual([name, expect.stringMatching(/./)])
  }
})

test('an output is answered as bytes or as JSON, each as it is asked for', async () => {
  const { post } = await setUp()
  const [body, headers] = mixed(
    { inputs: [x(8)], outputs: [{ name: 'product', parameters: { binary_data: false } }, { name: 'y' }], parameters: { binary_data_output: true } },
    floats(1, 2),
  )
  const answer = await post(INFER, body, headers)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
  const size = Number(answer.headers.get(LENGTH))
  expect(JSON.parse(answer.bytes.subarray(0, size).toString()).outputs).toEqual([
    { name: 'product', shape: [1, 2], datatype: 'FP32', data: [3, 6] },
    { name: 'y', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } },
  ])
  expect(answer.bytes.subarray(size)).toEqual(floats(4, 7))
})

test('binary tensors keep what JSON cannot say: NaN and infinities come back bit by bit, as null in JSON, and are counted', async () => {
  const { pod, post } = await setUp()
  const [body, headers] = mixed(
    { inputs: [x(8)], outputs: [{ name: 'product', parameters: { binary_data: true } }, { name: 'y' }] },
    floats(Number.NaN, -Infinity),
  )
  const answer = await post(INFER, body, headers)
  const size = Number(answer.headers.get(LENGTH))
  expect(Object(JSON.parse(answer.bytes.subarray(0, size).toString())).outputs[1].data).toEqual([null, null])
  const product = answer.bytes.subarray(size)
  expect([product.readFloatLE(0), product.readFloatLE(4)]).toEqual([Number.NaN, -Infinity])
  expect(await pod.metrics.expose()).toMatch(/inference_not_finite_outputs_total\{.*model="scale".*\} 4\n/)
})

test('a body without JSON is the one tensor, and is answered in bytes', async () => {
  const { post } = await startServedPod({ scale: scaleModel(3), text: echoModel(['BYTES']) })
  const raw = { 'content-type': 'application/octet-stream', [LENGTH]: '0' }
  const answer = await post(INFER, floats(1, 2), raw)
  const size = Number(answer.headers.get(LENGTH))
  expect([answer.status, answer.bytes.subarray(size)]).toEqual([200, Buffer.concat([floats(4, 7), floats(3, 6)])])
  expect((await post(INFER, floats(1, 2, 3), raw)).status).toBe(400)
})

test('whatever does not add up in a binary request is refused', async () => {
  const { post } = await startServedPod({ scale: scaleModel(3), text: echoModel(['BYTES', 'BOOL']) })
  const cases: [name: string, request: [Buffer, Record<string, string>], says: string][] = [
    ['too few bytes for the shape', mixed({ inputs: [x(4)] }, floats(1)), '4 bytes'],
    ['too few bytes in the body', mixed({ inputs: [x(8)] }, floats(1)), '4 are left'],
    ['too many bytes in the body', mixed({ inputs: [x(8)] }, floats(1, 2, 3)), 'left over'],
    ['another datatype', mixed({ inputs: [{ ...x(8), datatype: 'FP64', shape: [1, 1] }] }, floats(1, 2)), 'FP32 exactly'],
    ['a size that is none', mixed({ inputs: [x(-8)] }, floats(1, 2)), 'binary_data_size'],
    ['a size that is text', mixed({ inputs: [{ ...x(8), parameters: { binary_data_size: '8' } }] }, floats(1, 2)), 'binary_data_size'],
    ['data and bytes', mixed({ inputs: [{ ...x(8), data: [1, 2] }] }, floats(1, 2)), 'both data and'],
    ['JSON longer than the body', [Buffer.from('{}'), { [LENGTH]: '99' }], '99 bytes of JSON'],
    ['a length that is none', [Buffer.from('{}'), { [LENGTH]: 'all' }], 'number of bytes'],
    ['a sequence', mixed({ inputs: [x(8)], parameters: { sequence_id: 3 } }, floats(1, 2)), 'sequence_id'],
  ]
  for (const [name, [body, headers], says] of cases) {
    const answer = await post(INFER, body, headers)
    expect([name, answer.status, answer.body]).toEqual([name, 400, { error: expect.stringContaining(says) }])
  }
  const text = { name: 'IN_BYTES', datatype: 'BYTES', shape: [1, 2], parameters: { binary_data_size: 10 } }
  const bool = { name: 'IN_BOOL', datatype: 'BOOL', shape: [1, 2], parameters: { binary_data_size: 2 } }
  const ask = (element: Buffer, truth: Buffer) => post('/v2/models/text/infer', ...mixed({ inputs: [text, bool] }, element, truth))
  const elements = Buffer.from([1, 0, 0, 0, 0x41, 1, 0, 0, 0, 0x42])
  expect((await ask(elements, Buffer.from([0, 1]))).status).toBe(200)
  expect((await ask(elements, Buffer.from([0, 2]))).body).toMatchObject({ error: expect.stringContaining('neither 0 nor 1') })
  expect((await ask(Buffer.from([9, 0, 0, 0, 0x41, 1, 0, 0, 0, 0x42]), Buffer.from([0, 1]))).body).toMatchObject({
    error: expect.stringContaining('beyond its end'),
  })
  expect((await ask(Buffer.from([1, 0, 0, 0, 0xff, 1, 0, 0, 0, 0x42]), Buffer.from([0, 1]))).body).toMatchObject({ error: expect.stringContaining('UTF-8') })
  expect((await post(INFER, floats(1, 2), { 'content-type': 'application/octet-stream' })).status).toBe(415)
})

test('a list of millions of elements is answered in pieces that make the same JSON', async () => {
  const { post } = await startServedPod({ scale: scaleModel(3) }, { INFERENCE_MAX_REQUEST_ROWS: 100_000 })
  const data = Array.from({ length: 120_000 }, (_, index) => index % 1000)
  const answer = await post(INFER, { inputs: [{ name: 'x', datatype: 'FP32', shape: [60_000, 2], data }], outputs: [{ name: 'product' }] })
  expect([answer.status, answer.headers.get('transfer-encoding')]).toEqual([200, 'chunked'])
  expect(Object(answer.body).outputs[0].data).toEqual(data.map((value) => 3 * value))
})

test('operators see what is in service, can have it taken over now, and are told who decides', async () => {
  const { world, pod, post } = await setUp()
  await world.publish(stateOf('broken', { generation: 1, production: ['4', { ...(await world.seal(scaleModel(1))), sha256: '0'.repeat(64) }] }))
  const list = async (body?: unknown) => repositoryIndex.parse((await post('/v2/repository/index', body ?? '')).body)
  expect(await list()).toContainEqual({ name: 'scale', version: '1', state: 'READY', reason: '' })
  expect((await list({ ready: true })).map(({ name }) => name)).toEqual(['scale'])
  const write = (path: string, body: unknown = {}) =>
    pod.call(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }, 'admin')
  world.registry.states.set('late', stateOf('late', { generation: 1, production: ['1', await world.seal(scaleModel(2))] }))
  expect((await write('/v2/repository/models/late/load')).status).toBe(200)
  expect((await pod.models()).find(({ model }) => model === 'late')).toMatchObject({ state: 'ready' })
  expect((await write('/v2/repository/models/scale/load', { parameters: { config: '{}' } })).status).toBe(400)
  expect((await write('/v2/repository/models/none/load')).status).toBe(404)
  const unload = await write('/v2/repository/models/scale/unload')
  expect([unload.status, await unload.json()]).toEqual([501, { error: expect.stringContaining('promote another') }])
  expect((await write('/v2/repository/shop/models/scale/load')).status).toBe(501)
  expect((await pod.call('/v2/repository/models/scale/load', { method: 'POST' }, 'user')).status).toBe(403)
})

test('statistics tell requests, rows and executions apart', async () => {
  const { call, post } = await setUp()
  const ask = (rows: number) => post(INFER, { inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 2], data: new Array(2 * rows).fill(1) }] })
  await ask(40)
  await ask(1)
  await ask(1)
  await post(INFER, { inputs: [] })
  const { body } = await call('/v2/models/scale/stats')
  expect(Object(body).model_stats).toMatchObject([
    {
      ...{ name: 'scale', version: '1', inference_count: 41, execution_count: 3 },
      inference_stats: { success: { count: 3 }, cache_hit: { count: 1 }, cache_miss: { count: 2 } },
      batch_stats: expect.arrayContaining([expect.objectContaining({ batch_size: 32 })]),
    },
  ])
  expect((await call('/v2/models/stats')).body).toEqual(body)
  expect((await call('/v2/models/scale/versions/1/stats')).body).toEqual(body)
  expect((await call('/v2/models/scale/versions/7/stats')).status).toBe(404)
})
