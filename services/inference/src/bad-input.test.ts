import { request as httpRequest } from 'node:http'
import type { Role } from '@millrace/platform/http/identity.ts'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { hugePicture, imageForm, picture } from './testing/picture.ts'
import { colourModel, scaleModel } from './testing/test-model.ts'
import { createWorld, startTestPod, stateOf } from './testing/test-pod.ts'

const MAX_BODY = 200_000

/** A pod with a classifier of pictures and a model of tensors. */
async function setUp() {
  const world = await createWorld()
  const pod = await startTestPod(world, { config: { INFERENCE_MAX_BODY_BYTES: MAX_BODY, INFERENCE_MAX_REQUEST_ROWS: 4 } })
  await world.publish(stateOf('colour', { generation: 1, production: ['1', await world.seal(colourModel(0))] }))
  await world.publish(stateOf('scale', { generation: 1, production: ['1', await world.seal(scaleModel(3))] }))
  await pod.serves('colour', '1')
  await pod.serves('scale', '1')
  const send = async (path: string, init: RequestInit, role: Role = 'user') => {
    const response = await pod.call(path, init, role)
    const text = await response.text()
    const body: { detail?: string; error?: string } = text.startsWith('{') ? Object(JSON.parse(text)) : {}
    return { status: response.status, message: body.detail ?? body.error ?? '', headers: response.headers }
  }
  return { pod, send, predict: (init: RequestInit, query = '?model=colour') => send(`/predict${query}`, { method: 'POST', ...init }) }
}

const red = picture([250, 10, 10])
const multipart = (boundary = 'b') => ({ 'content-type': `multipart/form-data; boundary=${boundary}` })
const textForm = () => {
  const form = new FormData()
  form.append('file', 'just text')
  return form
}

test('every bad upload is refused with what was wrong and what is expected, and the next request is served', async () => {
  const { predict } = await setUp()
  const cases: [name: string, init: RequestInit, status: number, says: string][] = [
    ['not an image', { body: imageForm(Buffer.from('hello, this is no image')) }, 400, 'not an image'],
    ['truncated', { body: imageForm(red.subarray(0, red.length / 2)) }, 400, 'cut off'],
    ['svg', { body: imageForm(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')) }, 415, 'SVG'],
    ['too many bytes', { body: imageForm(Buffer.alloc(2 * MAX_BODY)) }, 413, String(MAX_BODY)],
    ['too many pixels', { body: imageForm(hugePicture(20_000)) }, 413, '20000 x 20000'],
    ['wrong field', { body: imageForm(red, 'image') }, 400, "it has 'image'"],
    ['text field', { body: textForm() }, 400, 'is text'],
    ['no fields', { body: '--b--\r\n', headers: multipart() }, 400, 'no fields'],
    ['empty file', { body: imageForm(Buffer.alloc(0)) }, 400, 'empty'],
    ['empty body', { headers: multipart() }, 400, 'empty'],
    ['no body', {}, 400, 'empty'],
    ['wrong content type', { body: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'multipart/form-data'],
    ['no features', { body: '{}', headers: { 'content-type': 'application/json' } }, 400, 'features'],
    ['no boundary', { body: 'x', headers: { 'content-type': 'multipart/form-data' } }, 400, 'boundary'],
    ['cut off', { body: '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc', headers: multipart() }, 400, 'cut off'],
    ['packed in a way nobody knows', { body: 'x', headers: { ...multipart(), 'content-encoding': 'compress' } }, 415, 'gzip'],
    ['not what its encoding says', { body: 'x', headers: { ...multipart(), 'content-encoding': 'gzip' } }, 400, 'Content-Encoding'],
  ]
  for (const [name, init, status, says] of cases) {
    const answer = await predict(init)
    expect([name, answer.status, answer.message]).toEqual([name, status, expect.stringContaining(says)])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  }
  const twice = imageForm(red)
  twice.append('file', new Blob([Uint8Array.from(red)]), 'again.png')
  expect(await predict({ body: twice })).toMatchObject({ status: 400, message: expect.stringContaining('2 times') })
  expect((await predict({ body: imageForm(red) })).status).toBe(200)
})

test('a model that is not there, not named or of another kind is told from one that is', async () => {
  const { predict } = await setUp()
  const body = imageForm(red)
  expect(await predict({ body }, '?model=cats')).toMatchObject({ status: 404, message: expect.stringContaining("'colour', 'scale'") })
  expect(await predict({ body }, '')).toMatchObject({ status: 400, message: expect.stringContaining("'colour', 'scale'") })
  expect(await predict({ body }, '?model=colour&version=7')).toMatchObject({ status: 404, message: expect.stringContaining('1 (production)') })
  expect(await predict({ body }, '?model=colour&model=scale')).toMatchObject({ status: 400 })
  expect(await predict({ body }, '?model=scale')).toMatchObject({ status: 400, message: expect.stringContaining('/v2/models/scale/infer') })
})

test('with nothing to serve the answer is 503 with a time to come back', async () => {
  const pod = await startTestPod(await createWorld())
  const response = await pod.call('/predict', { method: 'POST', body: imageForm(red) })
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  expect((await pod.call('/v2/models/none/infer', { method: 'POST', body: '{}' })).status).toBe(404)
})

test('every bad inference request is refused in the words of the protocol', async () => {
  const { send } = await setUp()
  const input = { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }
  const cases: [name: string, body: unknown, status: number, says: string][] = [
    ['malformed JSON', '{"inputs": [', 400, 'position'],
    ['not an object', '[]', 400, 'object'],
    ['no inputs', '{}', 400, 'inputs'],
    ['empty', '', 400, 'empty'],
    ['unknown name', { inputs: [{ ...input, name: 'secret' }] }, 400, "inputs are 'x'"],
    ['twice', { inputs: [input, input] }, 400, '2 times'],
    ['wrong shape', { inputs: [{ ...input, shape: [1, 3], data: [1, 2, 3] }] }, 400, '[1, 3]'],
    ['negative shape', { inputs: [{ ...input, shape: [-1, 2] }] }, 400, 'shape'],
    ['too few elements', { inputs: [{ ...input, data: [1] }] }, 400, '1 elements'],
    ['wrong type', { inputs: [{ ...input, datatype: 'BYTES', data: ['1', '2'] }] }, 400, 'FP32'],
    ['unknown type', { inputs: [{ ...input, datatype: 'FLOAT' }] }, 400, 'unknown datatype'],
    ['NaN as null', { inputs: [{ ...input, data: [1, null] }] }, 400, 'NaN'],
    ['NaN literal', '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[NaN,1]}]}', 400, 'position'],
    ['no rows', { inputs: [{ ...input, shape: [0, 2], data: [] }] }, 400, 'no elements'],
    ['unknown output', { inputs: [input], outputs: [{ name: 'z' }] }, 400, "outputs are 'y', 'product'"],
    ['sequence', { inputs: [input], parameters: { sequence_id: 1 } }, 400, 'sequence_id'],
    ['binary data without a header', { inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 8 } }] }, 400, 'Inference-Header-Content-Length'],
    ['an unclear flag', { inputs: [input], outputs: [{ name: 'y', parameters: { binary_data: 'yes' } }] }, 400, 'true or false'],
    ['shared memory', { inputs: [{ ...input, parameters: { shared_memory_region: 'r' } }] }, 400, 'shared memory'],
    ['too many rows', { inputs: [{ ...input, shape: [5, 2], data: Array.from({ length: 10 }, () => 1) }] }, 413, '5 rows'],
    ['too many bytes', { inputs: [input], id: 'x'.repeat(MAX_BODY) }, 413, String(MAX_BODY)],
  ]
  for (const [name, body, status, says] of cases) {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await send('/v2/models/scale/infer', { method: 'POST', body: text, headers: { 'content-type': 'application/json' } })
    expect([name, answer.status, answer.message]).toEqual([name, status, expect.stringContaining(says)])
  }
  const json = { 'content-type': 'application/json' }
  expect(await send('/v2/models/scale/infer', { method: 'POST', body: 'x', headers: { 'content-type': 'text/csv' } })).toMatchObject({ status: 415 })
  expect((await send('/v2/models/scale/infer', { method: 'POST', body: JSON.stringify({ inputs: [input] }), headers: json })).status).toBe(200)
})

test('unknown routes, wrong methods and broken paths have their own answers', async () => {
  const { send } = await setUp()
  expect(await send('/v2/nothing', {})).toMatchObject({ status: 404 })
  expect(await send('/v2/models/scale/versions/1/nothing', {})).toMatchObject({ status: 404 })
  expect(await send('/v2/models/%E0%A4%A/ready', {})).toMatchObject({ status: 400 })
  expect(await send('/v2/models/..%2f..%2fetc/ready', {})).toMatchObject({ status: 404 })
  const wrong = await send('/predict', {})
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
})

test('a caller without a token, with a wrong one or without the right is refused', async () => {
  const { pod, send } = await setUp()
  expect((await fetch(`${pod.url}/v2/models`)).status).toBe(401)
  expect((await fetch(`${pod.url}/v2/models`, { headers: { authorization: 'Bearer nonsense' } })).status).toBe(401)
  expect((await send('/predict', { method: 'POST', body: imageForm(red) }, 'viewer')).status).toBe(403)
  expect((await send('/v2/models', {}, 'viewer')).status).toBe(200)
  expect((await fetch(`${pod.url}/v2/health/live`)).status).toBe(200)
})

test.each([
  ['/v2/models/scale/infer', 'application/json', '{'],
  ['/models/scale/invocations', 'application/jsonlines', '[1, 2'],
])('a body that never ends is given up at the deadline: %s', async (path, type, beginning) => {
  const { pod } = await setUp()
  const { promise, resolve } = Promise.withResolvers<number>()
  const headers = { authorization: `Bearer ${await pod.token()}`, 'content-type': type, 'x-request-timeout-ms': '100' }
  const call = httpRequest(`${pod.url}${path}`, { method: 'POST', headers: { ...headers, 'content-length': '100' } }, (response) => {
    resolve(response.statusCode ?? 0)
    response.resume()
  })
  call.on('error', () => undefined)
  onTestFinished(() => void call.destroy())
  call.write(beginning)
  expect(await promise).toBe(408)
})

beforeAll(() => expect(red.length).toBeGreaterThan(60))
