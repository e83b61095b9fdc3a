import { request } from 'node:http'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { INVALID_PATH } from '../domain/artifact-path.ts'
import { type RunningTracking, startTracking } from '../testing/start-tracking.ts'

let tracking: Awaited<ReturnType<typeof startTracking>>
let call: RunningTracking['call']
let root = ''
let runId = ''

const proxy = '/api/2.0/mlflow-artifacts/artifacts'
const put = (path: string, content: string | Uint8Array) => call('PUT', `${proxy}/${path}`, { raw: Buffer.from(content) })
const get = (path: string) => call('GET', `${proxy}/${path}`)

beforeAll(async () => {
  tracking = await startTracking({ TRACKING_MAX_ARTIFACT_BYTES: 3_000_000 })
  call = tracking.value.call
  runId = (await call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
  root = `0/${runId}/artifacts`
})
afterAll(() => tracking.stop())

test('what was put comes back as an attachment, by both prefixes and by run', async () => {
  expect(await put(`${root}/sub%20dir/%C3%BC.html`, '<script>')).toMatchObject({ status: 200, json: {} })
  const answer = await get(`${root}/sub%20dir/%C3%BC.html`)
  expect(answer.bytes.toString()).toBe('<script>')
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': '8',
    'content-disposition': `attachment; filename="_.html"; filename*=UTF-8''%C3%BC.html`,
    'x-content-type-options': 'nosniff',
  })
  expect((await call('GET', `/ajax-api/2.0/mlflow-artifacts/artifacts/${root}/sub%20dir/%C3%BC.html`)).bytes.toString()).toBe('<script>')
  expect((await call('GET', `/get-artifact?run_uuid=${runId}&path=sub%20dir/%C3%BC.html`)).bytes.toString()).toBe('<script>')
})

test('an empty file may arrive in chunks', async () => {
  expect((await call('PUT', `${proxy}/${root}/empty`, { raw: Readable.toWeb(Readable.from([])) })).status).toBe(200)
  const answer = await get(`${root}/empty`)
  expect([answer.status, answer.bytes.length]).toEqual([200, 0])
})

test('folders are listed by name, with sizes of files', async () => {
  await put(`${root}/list/b.txt`, 'bb')
  await put(`${root}/list/a/x.json`, '{}')
  await put(`${root}/list/a/y/z`, '')
  const directory = `${root}/list`
  expect((await call('GET', `${proxy}?path=${directory}`)).json).toEqual({
    files: [
      { path: 'a', is_dir: true },
      { path: 'b.txt', is_dir: false, file_size: 2 },
    ],
  })
  expect((await call('GET', `${proxy}?path=${directory}/b.txt`)).json).toEqual({})
  expect((await call('GET', `${proxy}?path=${root}/nothing`)).json).toEqual({})
  expect((await call('GET', `artifacts/list?run_id=${runId}&path=list/a`)).json).toEqual({
    root_uri: `mlflow-artifacts:/${root}`,
    files: [
      { path: 'list/a/x.json', is_dir: false, file_size: 2 },
      { path: 'list/a/y', is_dir: true },
    ],
  })
})

test('overwriting and deleting change what is under a path', async () => {
  await put(`${root}/d/one`, '1')
  await put(`${root}/d/one`, '2')
  expect((await get(`${root}/d/one`)).bytes.toString()).toBe('2')
  expect((await get(`${root}/d`)).status).toBe(400)
  expect(await call('DELETE', `${proxy}/${root}/d`)).toMatchObject({ status: 200, json: {} })
  expect((await get(`${root}/d/one`)).json).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' })
  expect((await call('DELETE', `${proxy}/${root}/d`)).status).toBe(200)
})

test('a path is a file or a folder, never both', async () => {
  await put(`${root}/mixed/file`, '1')
  expect((await put(`${root}/mixed`, '1')).json).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
  expect((await put(`${root}/mixed/file/below`, '1')).json).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
})

/** The client's own URL class would resolve the dots: this sends the path as it is. */
const sendRaw = (method: string, path: string): Promise<{ status: number; body: string }> => {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const { hostname, port } = new URL(tracking.value.url)
  tracking.value.token().then((token) => {
    const sent = request({ hostname, port, method, path, headers: { authorization: `Bearer ${token}` } }, async (response) => {
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(await response.toArray()).toString() })
    })
    sent.once('error', reject)
    sent.end(method === 'PUT' ? 'x' : undefined)
  }, reject)
  return promise
}

const escapes = ['..', '%2e%2e', '%252e%252e', '%25252e%25252e', '..%2f..', '..%5c..', '%23', 'a%00', 'C:', '%2fetc%2fpasswd', 'file:%2f%2f%2fetc%2fpasswd']

test.each(escapes)('a path with %s is refused on every way in', async (hidden) => {
  const refusal = { status: 400, body: JSON.stringify({ error_code: 'INVALID_PARAMETER_VALUE', message: INVALID_PATH }) }
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const direct = /^(C:|%2f|file)/.test(hidden) ? hidden : `${root}/${hidden}/x`
    expect(await sendRaw(method, `${proxy}/${direct}`)).toEqual(refusal)
  }
  expect(await sendRaw('GET', `${proxy}?path=${hidden}`)).toEqual(refusal)
  expect(await sendRaw('GET', `/get-artifact?run_id=${runId}&path=${hidden}`)).toEqual(refusal)
  expect(await sendRaw('GET', `/ajax-api/2.0/mlflow/artifacts/list?run_id=${runId}&path=${hidden}`)).toEqual(refusal)
})

test('an artifact beyond the limit is refused and leaves nothing, announced or not', async () => {
  const large = Buffer.alloc(3_000_001)
  expect(await put(`${root}/large`, large)).toMatchObject({ status: 413, json: { error_code: 'PAYLOAD_TOO_LARGE' } })
  const chunked = await call('PUT', `${proxy}/${root}/large`, { raw: Readable.toWeb(Readable.from([large])) })
  expect(chunked.status).toBe(413)
  expect((await get(`${root}/large`)).status).toBe(404)
  expect((await put(`${root}/large`, large.subarray(1))).status).toBe(200)
  expect((await get(`${root}/large`)).bytes.length).toBe(3_000_000)
})

test('an upload that breaks off leaves nothing', async () => {
  const before = await countBlobs()
  const broken = Readable.from(
    (async function* () {
      yield Buffer.alloc(100_000)
      throw new Error('the client goes')
    })(),
  )
  await expect(call('PUT', `${proxy}/${root}/broken`, { raw: Readable.toWeb(broken) })).rejects.toThrow()
  expect((await get(`${root}/broken`)).status).toBe(404)
  expect(await countBlobs()).toBe(before)
})

async function countBlobs(): Promise<number> {
  let count = 0
  for await (const blob of tracking.value.blobs.list()) count += blob.sha256 === '' ? 0 : 1
  return count
}

test('names that look encoded are kept as they are: they are decoded once', async () => {
  const names = ['a%20b.txt', 'a b.txt', '100%.txt', '%25.txt', 'a+b.txt', 'ü%C3%BC.txt']
  for (const name of names) expect((await put(`${root}/odd/${encodeURIComponent(name)}`, name)).status).toBe(200)
  const listing = await call('GET', `${proxy}?path=${encodeURIComponent(`${root}/odd`)}`)
  const listed = names.map((_, index) => listing.text('files', index, 'path'))
  expect(new Set(listed)).toEqual(new Set(names))
  for (const name of names) {
    expect((await get(`${root}/odd/${encodeURIComponent(name)}`)).bytes.toString()).toBe(name)
    expect((await call('GET', `/get-artifact?run_id=${runId}&path=${encodeURIComponent(`odd/${name}`)}`)).bytes.toString()).toBe(name)
  }
})

test('a root in another store is not read by this server', async () => {
  const experiment = (await call('POST', 'experiments/create', { body: { name: 'far', artifact_location: 'gs://bucket/x' } })).text('experiment_id')
  const run = await call('POST', 'runs/create', { body: { experiment_id: experiment } })
  expect(run.text('run', 'info', 'artifact_uri')).toMatch(/^gs:\/\/bucket\/x\/[0-9a-f]{32}\/artifacts$/)
  const listing = await call('GET', `artifacts/list?run_id=${run.text('run', 'info', 'run_id')}`)
  expect(listing.text('message')).toMatch(/another store \(gs:\)/)
})
