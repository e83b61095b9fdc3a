import { request as httpRequest } from 'node:http'
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { imageForm, picture } from './testing/picture.ts'
import { startServedPod } from './testing/served-pod.ts'
import { colourModel, scaleModel, slowModel } from './testing/test-model.ts'

const INFER = '/v2/models/scale/infer'
const bodyOf = (rows: number) => JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 2], data: new Array(2 * rows).fill(1) }] })

test('bodies come packed in every dialect', async () => {
  const { pod, post } = await startServedPod({ scale: scaleModel(3), colour: colourModel(0) })
  const packed = async (path: string, body: string, coding: string, pack: (text: string) => Buffer, type = 'application/json') =>
    (await post(path, pack(body), { 'content-encoding': coding, 'content-type': type })).status
  expect(await packed(INFER, bodyOf(3), 'gzip', gzipSync)).toBe(200)
  expect(await packed(INFER, bodyOf(3), 'deflate', deflateSync)).toBe(200)
  expect(await packed(INFER, bodyOf(3), 'br', brotliCompressSync)).toBe(200)
  expect(await packed('/v1/models/scale:predict', '{"instances":[[1,2]]}', 'gzip', gzipSync)).toBe(200)
  expect(await packed('/models/scale/invocations', '{"inputs":[[1,2]]}', 'gzip', gzipSync)).toBe(200)
  expect(await packed('/models/scale/invocations', 'a,b\n1,2\n', 'gzip', gzipSync, 'text/csv')).toBe(200)
  expect(await packed('/models/scale/invocations', '[1,2]\n[3,4]\n', 'gzip', gzipSync, 'application/jsonlines')).toBe(200)
  expect(await packed('/predict', '{"model":"scale","features":[1,2]}', 'gzip', gzipSync)).toBe(200)
  const form = new Response(imageForm(picture([250, 10, 10])))
  const headers = { 'content-type': form.headers.get('content-type') ?? '', 'content-encoding': 'gzip' }
  const body = gzipSync(Buffer.from(await form.arrayBuffer()))
  expect((await pod.call('/predict?model=colour', { method: 'POST', body, headers })).status).toBe(200)
})

test('a small body that unpacks into a large one is refused, and so is a damaged one', async () => {
  const { post } = await startServedPod({ scale: scaleModel(3) }, { INFERENCE_MAX_BODY_BYTES: 100_000 })
  const bomb = gzipSync(Buffer.alloc(50 * 1024 ** 2, ' '))
  expect(bomb.length).toBeLessThan(100_000)
  const gzip = { 'content-encoding': 'gzip' }
  for (const path of [INFER, '/v1/models/scale:predict', '/models/scale/invocations', '/predict?model=scale']) {
    expect([path, (await post(path, bomb, gzip)).status]).toEqual([path, 413])
  }
  const lines = { ...gzip, 'content-type': 'application/jsonlines' }
  expect((await post('/invocations', gzipSync(Buffer.alloc(50 * 1024 ** 2, 'x')), lines)).status).toBe(413)
  expect((await post(INFER, gzipSync(bodyOf(1)).subarray(0, 30), gzip)).status).toBe(400)
  expect((await post('/invocations', Buffer.from('no gzip'), lines)).status).toBe(400)
  expect((await post(INFER, bodyOf(1), { 'content-encoding': 'gzip, gzip' })).status).toBe(415)
  expect((await post(INFER, gzipSync(bodyOf(1)), gzip)).status).toBe(200)
})

/** An answer with its bytes as they came over the wire. */
async function raw(url: string, token: string, body: string, accept: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ headers: NodeJS.Dict<string | string[]>; bytes: Buffer }>()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...(accept ? { 'accept-encoding': accept } : {}) }
  const call = httpRequest(url, { method: 'POST', headers }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve({ headers: response.headers, bytes: Buffer.concat(chunks) }))
  })
  call.on('error', reject).end(body)
  return promise
}

test('answers are packed where that is worth it and the caller takes it', async () => {
  const { pod } = await startServedPod({ scale: scaleModel(3) }, { INFERENCE_MAX_REQUEST_ROWS: 100_000 })
  const ask = async (rows: number, accept: string) => raw(`${pod.url}${INFER}`, await pod.token(), bodyOf(rows), accept)
  const plain = await ask(500, '')
  expect(plain.headers['content-encoding']).toBeUndefined()
  for (const [accept, coding, unpack] of [
    ['gzip, deflate, br', 'gzip', gunzipSync],
    ['gzip;q=0, deflate', 'deflate', inflateSync],
  ] as const) {
    const packed = await ask(500, accept)
    expect(packed.headers).toMatchObject({ 'content-encoding': coding, vary: 'accept-encoding', 'content-length': String(packed.bytes.length) })
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 5)
    expect(unpack(packed.bytes)).toEqual(plain.bytes)
  }
  expect((await ask(500, 'identity, gzip;q=0')).headers['content-encoding']).toBeUndefined()
  expect((await ask(1, 'gzip')).headers['content-encoding']).toBeUndefined()
  const streamed = await ask(60_000, 'gzip')
  expect(streamed.headers).toMatchObject({ 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' })
  expect(JSON.parse(gunzipSync(streamed.bytes).toString()).outputs[0].data).toHaveLength(120_000)
})

test('a request whose time is up never reaches a session, whichever way it says how long it waits', async () => {
  const { post, call } = await startServedPod({ slow: slowModel(900) }, { INFERENCE_CACHE_TTL_MS: 0 })
  const ask = (value: number, headers: Record<string, string> = {}, parameters = {}) =>
    post('/v2/models/slow/infer', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [value, 0] }], parameters }, headers)
  const executions = async () => Object((await call('/v2/models/slow/stats')).body).model_stats[0].execution_count
  const busy = Array.from({ length: 3 }, (_, index) => ask(index))
  await until(async () => (await executions()) > 0)
  const late = await Promise.all([
    ...Array.from({ length: 5 }, (_, index) => ask(10 + index, { 'x-request-timeout-ms': '1' })),
    ...Array.from({ length: 5 }, (_, index) => ask(20 + index, {}, { timeout: 1 })),
  ])
  for (const { status, headers } of late) {
    expect([503, 504, 408]).toContain(status)
    if (status === 503) expect(headers.get('x-millrace-reason')).toBe('deadline')
  }
  expect((await Promise.all(busy)).map(({ status }) => status)).toEqual([200, 200, 200])
  expect(await executions()).toBeLessThanOrEqual(3)
  expect((await ask(1, {}, { timeout: 0 })).status).toBe(200)
})

test('the id of the request and of the prediction, and the place in a trace, are kept', async () => {
  const { post } = await startServedPod({ scale: scaleModel(3) })
  const ids = { 'x-request-id': 'r-1', 'x-prediction-id': 'p-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  for (const [path, body] of [
    [INFER, bodyOf(1)],
    ['/v1/models/scale:predict', { instances: [[1, 2]] }],
    ['/invocations', { inputs: [[1, 2]] }],
    ['/predict', { features: [1, 2] }],
    ['/invocations', { nothing: true }],
  ] as const) {
    const { headers, status } = await post(path, body, ids)
    expect([path, headers.get('x-request-id'), headers.get('x-prediction-id')]).toEqual([path, 'r-1', status === 200 ? 'p-1' : null])
  }
})
