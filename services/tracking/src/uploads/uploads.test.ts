import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'
import { TOKEN_HEADER } from './token.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let runId = ''
let root = ''

const artifacts = '/api/2.0/mlflow-artifacts'

beforeAll(async () => {
  tracking = await startTracking({ TRACKING_MAX_ARTIFACT_BYTES: 1_000_000 })
  call = tracking.value.call
})
afterAll(() => tracking.stop())
beforeEach(async () => {
  runId = (await call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
  root = `0/${runId}/artifacts`
})

const file = '/home/ada/work #1/model.bin'
const create = async (num_parts: number, path = file) => call('POST', `${artifacts}/mpu/create/${root}/big`, { body: { path, num_parts } })
const end = (step: string, upload_id: string, rest: object = {}, folder = `${root}/big`) =>
  call('POST', `${artifacts}/mpu/${step}/${folder}`, { body: { path: file, upload_id, ...rest } })
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
const tokenOf = (answer: Awaited<ReturnType<typeof create>>) => answer.text('credentials', 0, 'headers', TOKEN_HEADER)

/** As the client does: no header but those that came with the address. */
async function send(url: string, token: string, content: Uint8Array) {
  const response = await fetch(url, { method: 'PUT', headers: { [TOKEN_HEADER]: token }, body: Buffer.from(content) })
  await response.arrayBuffer()
  return { status: response.status, etag: response.headers.get('etag') ?? '' }
}

const download = async (path: string) => (await call('GET', `${artifacts}/artifacts/${root}/${path}`)).bytes

test('parts that come in any order become one file, by its digest; completing again is fine', async () => {
  const content = randomBytes(300_000)
  const begun = await create(3)
  expect(begun.status).toBe(200)
  const pieces = [0, 1, 2].map((index) => content.subarray(index * 100_000, (index + 1) * 100_000))
  const parts = []
  for (const index of [2, 0, 1]) {
    expect(begun.text('credentials', index, 'part_number')).toBe(String(index + 1))
    const { etag } = await send(begun.text('credentials', index, 'url'), tokenOf(begun), pieces[index] ?? content)
    expect(etag).toBe(`"${sha256(pieces[index] ?? content)}"`)
    parts.push({ part_number: index + 1, etag, url: 'ignored' })
  }
  expect((await call('GET', `${artifacts}/artifacts/${root}/big/model.bin`)).status).toBe(404)
  expect(await end('complete', begun.text('upload_id'), { parts })).toMatchObject({ status: 200, json: {} })
  expect((await download('big/model.bin')).equals(content)).toBe(true)
  expect(await tracking.value.blobs.stat(sha256(content))).toEqual({ sha256: sha256(content), sizeBytes: 300_000 })
  expect((await end('complete', begun.text('upload_id'), { parts })).status).toBe(200)
  expect((await end('abort', begun.text('upload_id'))).status).toBe(200)
  expect((await download('big/model.bin')).equals(content)).toBe(true)
  expect((await send(begun.text('credentials', 0, 'url'), tokenOf(begun), content)).status).toBe(404)
})

test('a part that is sent twice counts as it was sent last', async () => {
  const begun = await create(1)
  const url = begun.text('credentials', 0, 'url')
  const first = await send(url, tokenOf(begun), Buffer.from('first'))
  const second = await send(url, tokenOf(begun), Buffer.from('second'))
  const stale = await end('complete', begun.text('upload_id'), { parts: [{ part_number: 1, etag: first.etag }] })
  expect(stale).toMatchObject({ status: 400, json: { message: 'Part 1 was not sent, or other bytes were: send it again' } })
  expect((await end('complete', begun.text('upload_id'), { parts: [{ part_number: 1, etag: second.etag }] })).status).toBe(200)
  expect(String(await download('big/model.bin'))).toBe('second')
})

test('two processes that complete one upload at once take it in once, and never over what came later', async () => {
  const { database, blobs } = tracking.value
  const other = await startTracking({}, () => blobs, undefined, undefined, { database })
  onTestFinished(other.stop)
  const begun = await create(2)
  const parts: object[] = []
  for (const index of [0, 1]) {
    const { etag } = await send(begun.text('credentials', index, 'url'), tokenOf(begun), Buffer.from(`part ${index} `))
    parts.push({ part_number: index + 1, etag })
  }
  const body = { path: file, upload_id: begun.text('upload_id'), parts }
  const complete = (by: RunningTracking['call']) => by('POST', `${artifacts}/mpu/complete/${root}/big`, { body })
  // One that comes while the other clears up is asked to try again.
  const answers = await Promise.all([complete(call), complete(other.value.call), complete(call), complete(other.value.call)])
  expect(answers.every((answer) => [200, 503].includes(answer.status))).toBe(true)
  expect(String(await download('big/model.bin'))).toBe('part 0 part 1 ')
  await call('PUT', `${artifacts}/artifacts/${root}/big/model.bin`, { raw: Buffer.from('later') })
  expect([(await complete(call)).status, (await complete(other.value.call)).status]).toEqual([200, 200])
  expect(String(await download('big/model.bin'))).toBe('later')
})

test('without the token that came with the address nothing is taken', async () => {
  const begun = await create(1)
  const other = await create(1, 'other')
  const url = begun.text('credentials', 0, 'url')
  for (const token of ['', 'x', tokenOf(other)]) expect((await send(url, token, Buffer.from('x'))).status).toBe(404)
  expect((await send(url.replace(/[^/]+$/, '2'), tokenOf(begun), Buffer.from('x'))).status).toBe(400)
  expect((await call('PUT', `${artifacts}/uploads/${begun.text('upload_id')}/1`, { raw: Buffer.from('x') })).status).toBe(404)
})

test('an upload that was given up is gone, and giving up what is not there is fine', async () => {
  const begun = await create(1)
  const { etag } = await send(begun.text('credentials', 0, 'url'), tokenOf(begun), Buffer.from('x'))
  expect(await end('abort', begun.text('upload_id'))).toMatchObject({ status: 200, json: {} })
  expect((await end('abort', begun.text('upload_id'))).status).toBe(200)
  expect((await end('complete', begun.text('upload_id'), { parts: [{ part_number: 1, etag }] })).status).toBe(404)
})

test.each([
  [{ path: '' }, 400],
  [{ path: '..' }, 400],
  [{ path: 'a/../..' }, 400],
  [{ path: 'C:\\work\\..' }, 400],
  [{ path: 'x#y' }, 400],
  [{ path: 'x%252e%252e' }, 200],
  [{ path: '%252e%252e' }, 400],
  [{ path: 'x', num_parts: 0 }, 400],
  [{ path: 'x', num_parts: 10_001 }, 400],
  [{ num_parts: 1 }, 400],
])('an upload of %j answers %i', async (body, status) => {
  expect((await call('POST', `${artifacts}/mpu/create/${root}`, { body })).status).toBe(status)
})

test('the end of an upload names the path that it was begun for (route and body alike)', async () => {
  const begun = await create(1)
  const { etag } = await send(begun.text('credentials', 0, 'url'), tokenOf(begun), Buffer.from('x'))
  const parts = [{ part_number: 1, etag }]
  expect((await end('complete', begun.text('upload_id'), { parts }, `${root}/elsewhere`)).status).toBe(400)
  expect((await end('complete', begun.text('upload_id'), { parts, path: '/x/other.bin' })).status).toBe(400)
  expect((await end('abort', begun.text('upload_id'), {}, `${root}/%2e%2e/x`)).status).toBe(400)
  expect((await end('complete', begun.text('upload_id'), { parts: [] })).status).toBe(400)
  expect((await end('complete', begun.text('upload_id'), { parts: [...parts, ...parts] })).status).toBe(400)
  expect((await end('complete', begun.text('upload_id'), { parts })).status).toBe(200)
})

test('parts that together are larger than an artifact may be are refused, and forgotten by the job', async () => {
  const begun = await create(2)
  const half = Buffer.alloc(600_000)
  const parts = []
  for (const index of [0, 1]) {
    const { etag } = await send(begun.text('credentials', index, 'url'), tokenOf(begun), half)
    parts.push({ part_number: index + 1, etag })
  }
  expect((await end('complete', begun.text('upload_id'), { parts })).status).toBe(413)
  tracking.value.clock.advance(400_000)
  await tracking.value.settleUploads.run(new AbortController().signal)
  expect((await end('complete', begun.text('upload_id'), { parts })).status).toBe(404)
})

test('parts of an upload are not collected while it goes on, and are after it has expired', async () => {
  const begun = await create(1)
  const content = randomBytes(1000)
  await send(begun.text('credentials', 0, 'url'), tokenOf(begun), content)
  const signal = new AbortController().signal
  const isThere = async () => (await tracking.value.blobs.stat(sha256(content))) !== null
  tracking.value.clock.advance(30 * 3_600_000)
  await tracking.value.job.run(signal)
  expect(await isThere()).toBe(true)
  await tracking.value.settleUploads.run(signal)
  tracking.value.clock.advance(3_600_000)
  await tracking.value.job.run(signal)
  expect(await isThere()).toBe(false)
})

const presign = (body: object) => call('POST', 'artifacts/presigned-upload-url', { body })

test('a file of a run or logged model is sent later, by whoever has the address', async () => {
  const modelId = (await call('POST', 'logged-models', { body: { experiment_id: '0', name: 'n' } })).text('model', 'info', 'model_id')
  for (const owner of [{ run_id: runId }, { model_id: modelId }]) {
    const answer = await presign({ ...owner, path: 'later/x.txt' })
    expect((await send(answer.text('presigned_url'), answer.text('headers', TOKEN_HEADER), Buffer.from('late'))).status).toBe(200)
  }
  expect(String(await download('later/x.txt'))).toBe('late')
  expect((await call('GET', `logged-models/${modelId}/artifacts/files?artifact_file_path=later/x.txt`)).bytes.toString()).toBe('late')
})

test('an address takes nothing after it has expired', async () => {
  const answer = await presign({ run_id: runId, path: 'x', expiration: 60 })
  tracking.value.clock.advance(61_000)
  expect((await send(answer.text('presigned_url'), answer.text('headers', TOKEN_HEADER), Buffer.from('late'))).status).toBe(404)
})

test.each([
  [{ path: 'x' }, 'Exactly one of run_id and model_id must be provided.'],
  [{ run_id: 'a', model_id: 'b', path: 'x' }, 'Exactly one of run_id and model_id must be provided.'],
  [{ run_id: '<run>' }, "Missing value for required parameter 'path'."],
  [{ run_id: '<run>', path: '../x' }, 'Invalid path'],
  [{ run_id: '<run>', path: 'x', expiration: 0 }, 'expiration must be between 1 and 604800 seconds (got 0).'],
])('an address for %j is refused', async (body, message) => {
  const answer = await presign('run_id' in body && body.run_id === '<run>' ? { ...body, run_id: runId } : body)
  expect([answer.status, answer.text('message')]).toEqual([400, expect.stringContaining(message)])
})

test('where clients cannot be sent to the store, downloads are not either: the client then gets the file here', async () => {
  await call('PUT', `${artifacts}/artifacts/${root}/x`, { raw: Buffer.from('x') })
  expect(await call('GET', `${artifacts}/presigned/${root}/x`)).toMatchObject({ status: 501, json: { error_code: 'NOT_IMPLEMENTED' } })
  expect((await call('POST', 'artifacts/presigned-download-url', { body: { run_id: runId, path: 'x' } })).status).toBe(501)
})
