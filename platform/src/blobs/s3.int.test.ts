import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { describeWith } from '../testing/real-infrastructure.ts'
import { until } from '../testing/until.ts'
import { blobsContract, listAll, sha256Of } from './blobs.contract.ts'
import { freshBlobs, s3Address } from './s3.fixture.ts'
import { createS3Blobs } from './s3.ts'

const MIB = 1024 ** 2
/** The smallest part that Amazon takes. */
const partBytes = 5 * MIB
const large = randomBytes(12 * MIB + 1)
const inChunks = (content: Buffer) =>
  Readable.from(Array.from({ length: Math.ceil(content.length / 65_536) }, (_, at) => content.subarray(at * 65_536, (at + 1) * 65_536)))

describeWith('s3', () => {
  blobsContract(async () => (await freshBlobs()).blobs)
})

describeWith('s3', () => {
  test('a blob is an object under its digest, and nothing else remains', async () => {
    const { blobs, prefix, keys, unfinished } = await freshBlobs({ partBytes })
    const small = await blobs.put(Buffer.from('pike'))
    const { sha256 } = await blobs.put(inChunks(large))
    expect(sha256).toBe(sha256Of(large))
    expect(new Set(await keys())).toEqual(new Set([small.sha256, sha256].map((digest) => `${prefix}sha256/${digest.slice(0, 2)}/${digest}`)))
    expect(await unfinished()).toBe(0)
    expect((await buffer(await blobs.open(sha256))).equals(large)).toBe(true)
    expect(await blobs.stat(sha256)).toEqual({ sha256, sizeBytes: large.length })
    expect((await buffer(await blobs.open(sha256, { start: partBytes - 1, end: partBytes }))).equals(large.subarray(partBytes - 1, partBytes + 1))).toBe(true)
  })

  test('a blob of exactly full parts, and one larger than the store copies at once', async () => {
    const { blobs, unfinished } = await freshBlobs({ partBytes, copyBytes: partBytes })
    for (const content of [large.subarray(0, partBytes), large.subarray(0, 2 * partBytes), large]) {
      const { sha256, sizeBytes } = await blobs.put(content)
      expect([sha256, sizeBytes]).toEqual([sha256Of(content), content.length])
      expect((await blobs.read(sha256, content.length)).equals(content)).toBe(true)
    }
    expect(await unfinished()).toBe(0)
  })

  test('a large upload that breaks off, is too large or is aborted leaves nothing behind', async () => {
    const { blobs, keys, unfinished } = await freshBlobs({ partBytes })
    async function* breaking() {
      yield large.subarray(0, 11 * MIB)
      await until(async () => (await unfinished()) === 1)
      throw new Error('client gone')
    }
    await expect(blobs.put(Readable.from(breaking()))).rejects.toThrow('client gone')
    await expect(blobs.put(inChunks(large), { maxBytes: large.length - 1 })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    const controller = new AbortController()
    async function* endless() {
      yield large
      await until(async () => (await unfinished()) === 1)
      controller.abort(new Error('enough'))
      for (;;) yield large.subarray(0, MIB)
    }
    await expect(blobs.put(Readable.from(endless()), { signal: controller.signal })).rejects.toThrow('enough')
    expect([await keys(), await unfinished()]).toEqual([[], 0])
  })

  test('writing present bytes again renews their time, so that a collector spares them', async () => {
    const { blobs } = await freshBlobs({ partBytes })
    for (const content of [Buffer.from('pike'), large]) {
      const { sha256 } = await blobs.put(content)
      const writtenAt = async () => (await listAll(blobs)).find((blob) => blob.sha256 === sha256)?.writtenAt.getTime() ?? 0
      const before = await writtenAt()
      await until(async () => {
        await blobs.put(content)
        return (await writtenAt()) > before
      })
    }
  })

  test('bytes that are not those of the digest are not handed out as a whole blob', async () => {
    const { blobs, client, bucket, prefix } = await freshBlobs()
    const { sha256 } = await blobs.put(Buffer.from('pike'))
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}sha256/${sha256.slice(0, 2)}/${sha256}`, Body: 'bike' }))
    await expect(blobs.read(sha256, 100)).rejects.toThrow('digest')
    await expect(blobs.open(sha256).then(buffer)).rejects.toThrow('digest')
  })
})

describeWith('s3', () => {
  test('a signed address lets anyone read that blob, under the file name that was asked for', async () => {
    const { blobs } = await freshBlobs()
    const { sha256 } = await blobs.put(Buffer.from('pike'))
    const address = await blobs.presignRead(sha256, { expiresSeconds: 60, fileName: 'Hecht ü.onnx' })
    const response = await fetch(address)
    expect(await response.text()).toBe('pike')
    expect(response.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''Hecht%20%C3%BC.onnx")
    const other = await blobs.put(Buffer.from('perch'))
    expect((await fetch(address.replaceAll(sha256, other.sha256))).status).toBe(403)
    await expect(blobs.presignRead('../etc', { expiresSeconds: 60 })).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
  })

  test('a list goes on beyond a page, and passes over what is no blob', async () => {
    const { blobs, client, bucket, prefix } = await freshBlobs()
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}sha256/README`, Body: 'x' }))
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}elsewhere/${sha256Of('x')}`, Body: 'x' }))
    const contents = Array.from({ length: 1_005 }, (_, index) => Buffer.from(String(index)))
    for (let at = 0; at < contents.length; at += 50) await Promise.all(contents.slice(at, at + 50).map((content) => blobs.put(content)))
    expect(new Set((await listAll(blobs)).map((blob) => blob.sha256))).toEqual(new Set(contents.map(sha256Of)))
  })

  test.each([
    ['a bucket that is not there', { bucket: 'no-such-bucket' }, 'RESOURCE_DOES_NOT_EXIST'],
    ['a wrong secret', { credentials: { ...s3Address.credentials, secretAccessKey: 'wr0ng' } }, 'PERMISSION_DENIED'],
    ['a user that is not there', { credentials: { accessKeyId: 'nobody', secretAccessKey: 'wr0ng' } }, 'PERMISSION_DENIED'],
  ])('%s is one clear refusal', async (_what, wrong, code) => {
    await expect(createS3Blobs({ ...s3Address, ...wrong })).rejects.toMatchObject({ code, message: expect.not.stringContaining('wr0ng') })
  })
})
