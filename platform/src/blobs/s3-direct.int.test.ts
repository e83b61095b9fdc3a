import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { insideTransaction } from '../sql/sql.ts'
import { describeWith } from '../testing/real-infrastructure.ts'
import { freshBlobs, s3Address } from './s3.fixture.ts'
import { createS3Direct } from './s3-direct.ts'

const MIB = 1024 ** 2

async function freshDirect() {
  const place = await freshBlobs()
  const { value: direct, stop } = createS3Direct({ ...s3Address, prefix: place.prefix })
  onTestFinished(stop)
  const put = async (url: string, body: Uint8Array) => {
    const response = await fetch(url, { method: 'PUT', body: Buffer.from(body) })
    return { status: response.status, etag: response.headers.get('etag') ?? '' }
  }
  return { ...place, direct, put }
}

describeWith('s3', () => {
  test('parts that a client sends by signed addresses become one object under the staging name', async () => {
    const { direct, put, unfinished } = await freshDirect()
    const content = randomBytes(11 * MIB)
    const { uploadId, urls } = await direct.beginParts('one', 3, 60)
    const pieces = [0, 1, 2].map((index) => content.subarray(index * 5 * MIB, (index + 1) * 5 * MIB))
    const sent = await Promise.all(pieces.map((piece, index) => put(urls[index] ?? '', piece)))
    const parts = sent.map(({ etag }, index) => ({ partNumber: index + 1, etag }))
    await direct.completeParts('one', uploadId, parts)
    await direct.completeParts('one', uploadId, parts)
    const opened = await direct.open('one')
    expect(opened && (await buffer(opened.content)).equals(content)).toBe(true)
    expect(await unfinished()).toBe(0)
    await direct.discard('one')
    expect(await direct.open('one')).toBeNull()
    await direct.discard('one')
  })

  test('a part that is another than named is refused, and an upload that was given up takes nothing more', async () => {
    const { direct, put, unfinished } = await freshDirect()
    const { uploadId, urls } = await direct.beginParts('two', 1, 60)
    expect((await put(urls[0] ?? '', Buffer.from('x'))).status).toBe(200)
    await expect(direct.completeParts('two', uploadId, [{ partNumber: 1, etag: '"0123"' }])).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
    await direct.abortParts('two', uploadId)
    await direct.abortParts('two', uploadId)
    expect(await unfinished()).toBe(0)
    expect((await put(urls[0] ?? '', Buffer.from('x'))).status).toBe(404)
    await expect(direct.completeParts('two', uploadId, [{ partNumber: 1, etag: '"0123"' }])).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
  })

  test('a signed address takes one object and no other; nothing is there until it is sent', async () => {
    const { direct, put } = await freshDirect()
    const url = await direct.presignWrite('three', 60)
    expect(await direct.open('three')).toBeNull()
    expect((await put(url.replace('three', 'other'), Buffer.from('x'))).status).toBe(403)
    expect((await put(url, Buffer.from('pike'))).status).toBe(200)
    const opened = await direct.open('three')
    expect(opened && String(await buffer(opened.content))).toBe('pike')
    expect(await direct.open('three', opened?.etag)).toBeNull()
    await put(url, Buffer.from('perch'))
    expect(await direct.open('three', opened?.etag)).not.toBeNull()
    await expect(direct.open('../sha256/x')).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
    await expect(insideTransaction(() => direct.open('three'))).rejects.toThrow(/inside a transaction/)
  })

  test('a blob is read from its signed address in ranges, as an attachment', async () => {
    const { direct, blobs } = await freshDirect()
    const { sha256 } = await blobs.put(Buffer.from('Esox lucius'))
    const response = await fetch(await direct.presignRead(sha256, { expiresSeconds: 60, fileName: 'ü.bin' }), { headers: { range: 'bytes=5-' } })
    expect([response.status, await response.text()]).toEqual([206, 'lucius'])
    expect(response.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''%C3%BC.bin")
  })
})
