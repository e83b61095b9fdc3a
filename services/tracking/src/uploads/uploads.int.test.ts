import { createHash, randomBytes } from 'node:crypto'
import { freshBlobs, s3Address } from '@millrace/platform/blobs/s3.fixture.ts'
import { createS3Direct } from '@millrace/platform/blobs/s3-direct.ts'
import { describeWith } from '@millrace/platform/testing/real-infrastructure.ts'
import { expect, onTestFinished, test } from 'vitest'
import { startTracking } from '../testing/start-tracking.ts'

const MIB = 1024 ** 2
const artifacts = '/api/2.0/mlflow-artifacts'

async function startWithStore() {
  const { blobs, keys, unfinished, prefix } = await freshBlobs()
  const direct = createS3Direct({ ...s3Address, prefix })
  const tracking = await startTracking({}, () => blobs, undefined, undefined, { directUploads: direct.value })
  onTestFinished(async () => {
    await tracking.stop()
    await direct.stop()
  })
  const runId = (await tracking.value.call('POST', 'runs/create', { body: { experiment_id: '0' } })).text('run', 'info', 'run_id')
  const staged = async () => (await keys()).filter((key) => key.includes('/tmp/')).length
  return { ...tracking.value, direct: direct.value, blobs, staged, unfinished, runId, root: `0/${runId}/artifacts` }
}

async function send(url: string, content: Uint8Array) {
  const response = await fetch(url, { method: 'PUT', body: Buffer.from(content) })
  return { status: response.status, etag: response.headers.get('etag') ?? '' }
}

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')

describeWith('s3', () => {
  test('parts go straight to the store, and the file is known by its digest once they are complete', async () => {
    const { call, blobs, staged, unfinished, root } = await startWithStore()
    const content = randomBytes(12 * MIB)
    const begun = await call('POST', `${artifacts}/mpu/create/${root}`, { body: { path: '/tmp/model.bin', num_parts: 3 } })
    expect(begun.text('credentials', 0, 'url')).toContain(new URL(s3Address.endpoint).host)
    const parts: object[] = []
    for (const index of [0, 1, 2]) {
      const { etag } = await send(begun.text('credentials', index, 'url'), content.subarray(index * 5 * MIB, (index + 1) * 5 * MIB))
      parts.push({ part_number: index + 1, etag })
    }
    const complete = () => call('POST', `${artifacts}/mpu/complete/${root}`, { body: { path: 'model.bin', upload_id: begun.text('upload_id'), parts } })
    const answers = await Promise.all([complete(), complete()])
    expect(answers.map((answer) => answer.status)).toEqual([200, 200])
    expect((await complete()).status).toBe(200)
    expect((await call('GET', `${artifacts}/artifacts/${root}/model.bin`)).bytes.equals(content)).toBe(true)
    expect(await blobs.stat(sha256(content))).toMatchObject({ sizeBytes: content.length })
    expect([await staged(), await unfinished()]).toEqual([0, 0])
  })

  test('an upload that is given up leaves nothing in the store', async () => {
    const { call, staged, unfinished, root } = await startWithStore()
    const begun = await call('POST', `${artifacts}/mpu/create/${root}`, { body: { path: 'x', num_parts: 1 } })
    await send(begun.text('credentials', 0, 'url'), Buffer.from('x'))
    expect((await call('POST', `${artifacts}/mpu/abort/${root}`, { body: { path: 'x', upload_id: begun.text('upload_id') } })).status).toBe(200)
    expect([await staged(), await unfinished()]).toEqual([0, 0])
  })

  test('an upload that was put together and not read, since the process died, is taken in by the job', async () => {
    const { call, database, direct, clock, settleUploads, root } = await startWithStore()
    const begun = await call('POST', `${artifacts}/mpu/create/${root}`, { body: { path: 'x', num_parts: 1 } })
    const uploadId = begun.text('upload_id')
    const { etag } = await send(begun.text('credentials', 0, 'url'), Buffer.from('saved'))
    const [row] = await database.query<{ store_upload_id: string }>('select store_upload_id from upload where upload_id = $1', [uploadId])
    await direct.completeParts(uploadId, row?.store_upload_id ?? '', [{ partNumber: 1, etag }])
    await database.query("update upload set state = 'assembled' where upload_id = $1", [uploadId])
    expect((await call('GET', `${artifacts}/artifacts/${root}/x`)).status).toBe(404)
    clock.advance(400_000)
    await settleUploads.run(new AbortController().signal)
    expect((await call('GET', `${artifacts}/artifacts/${root}/x`)).bytes.toString()).toBe('saved')
  })

  test('what was sent to a handed-out address is there as soon as somebody looks, and again after it was replaced', async () => {
    const { call, blobs, staged, clock, settleUploads, runId, root, callAsRegistry } = await startWithStore()
    const address = await call('POST', 'artifacts/presigned-upload-url', { body: { run_id: runId, path: 'model/weights.bin' } })
    expect(address.json).toMatchObject({ headers: {} })
    expect((await call('GET', `artifacts/list?run_id=${runId}&path=model`)).json).not.toHaveProperty('files')
    const first = randomBytes(MIB)
    expect((await send(address.text('presigned_url'), first)).status).toBe(200)
    expect((await call('GET', `artifacts/list?run_id=${runId}&path=model`)).json).toMatchObject({ files: [{ path: 'model/weights.bin', file_size: MIB }] })
    expect(await blobs.stat(sha256(first))).not.toBeNull()
    await send(address.text('presigned_url'), Buffer.from('second'))
    const sealed = await callAsRegistry('POST', '/api/v1/artifacts/manifests', { body: { source: `runs:/${runId}/model`, holder: 'registry:m/1' } })
    expect(sealed.json).toMatchObject({ files: [{ path: 'weights.bin', sha256: sha256(Buffer.from('second')) }] })
    await send(address.text('presigned_url'), Buffer.from('third'))
    clock.advance(20_000)
    await settleUploads.run(new AbortController().signal)
    expect(await blobs.stat(sha256(Buffer.from('third')))).not.toBeNull()
    expect((await call('GET', `${artifacts}/artifacts/${root}/model/weights.bin`)).bytes.toString()).toBe('third')
    expect(await staged()).toBe(1)
    clock.advance(2 * 3_600_000)
    await settleUploads.run(new AbortController().signal)
    expect(await staged()).toBe(0)
  })

  test('downloads are sent to the store, by path and by run', async () => {
    const { call, runId, root } = await startWithStore()
    await call('PUT', `${artifacts}/artifacts/${root}/sub/a%20b.txt`, { raw: Buffer.from('hello') })
    const byPath = await call('GET', `${artifacts}/presigned/${root}/sub/a%20b.txt`)
    expect(byPath.json).toMatchObject({ headers: {}, file_size: 5 })
    const byRun = await call('POST', 'artifacts/presigned-download-url', { body: { run_id: runId, path: 'sub/a b.txt', expiration: 60 } })
    for (const url of [byPath.text('url'), byRun.text('presigned_url')]) {
      const response = await fetch(url, { headers: { range: 'bytes=1-2' } })
      expect([response.status, await response.text()]).toEqual([206, 'el'])
    }
    expect((await call('GET', `${artifacts}/presigned/${root}/none`)).status).toBe(404)
    expect((await call('GET', `${artifacts}/presigned/${root}/sub`)).status).toBe(400)
  })
})
