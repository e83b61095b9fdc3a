import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { insideTransaction } from '../sql/sql.ts'
import type { BlobInfo, Blobs } from './blobs.ts'

export const sha256Of = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex')

export async function listAll(blobs: Blobs): Promise<(BlobInfo & { writtenAt: Date })[]> {
  const all = []
  for await (const blob of blobs.list()) all.push(blob)
  return all
}

/** What every `Blobs` keeps. `create` gives an empty store. */
export function blobsContract(create: () => Promise<Blobs>): void {
  const content = Buffer.from('Esox lucius')
  const absent = sha256Of('absent')

  test('bytes and streams are stored under their digest, and read back', async () => {
    const blobs = await create()
    const large = Buffer.alloc(3_000_000, 7)
    expect(await blobs.put(content)).toEqual({ sha256: sha256Of(content), sizeBytes: content.length })
    expect(await blobs.put(Readable.from([large.subarray(0, 1_000_001), large.subarray(1_000_001)]))).toEqual({
      sha256: sha256Of(large),
      sizeBytes: large.length,
    })
    expect(await blobs.read(sha256Of(content), 100)).toEqual(content)
    expect((await buffer(await blobs.open(sha256Of(large)))).equals(large)).toBe(true)
    expect(await blobs.stat(sha256Of(large))).toEqual({ sha256: sha256Of(large), sizeBytes: large.length })
  })

  test('an empty blob is a blob', async () => {
    const blobs = await create()
    const { sha256 } = await blobs.put(new Uint8Array())
    expect(await blobs.read(sha256, 0)).toEqual(Buffer.alloc(0))
    expect(await buffer(await blobs.open(sha256))).toHaveLength(0)
  })

  test('a range is inclusive and ends with the blob', async () => {
    const blobs = await create()
    const { sha256 } = await blobs.put(content)
    expect(String(await buffer(await blobs.open(sha256, { start: 0, end: 3 })))).toBe('Esox')
    expect(String(await buffer(await blobs.open(sha256, { start: 5, end: 1000 })))).toBe('lucius')
  })

  test('the same bytes may be written again, even at the same time', async () => {
    const blobs = await create()
    const infos = await Promise.all(Array.from({ length: 8 }, () => blobs.put(Readable.from([content]))))
    expect(new Set(infos.map((info) => info.sha256))).toEqual(new Set([sha256Of(content)]))
    expect(await listAll(blobs)).toHaveLength(1)
  })

  test('what is not there: null for stat, a refusal for reading, nothing for removing', async () => {
    const blobs = await create()
    expect(await blobs.stat(absent)).toBeNull()
    await expect(blobs.open(absent)).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
    await expect(blobs.read(absent, 10)).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
    await blobs.remove(absent)
  })

  test('a name that is no digest is refused: it never becomes a path', async () => {
    const blobs = await create()
    for (const name of ['../../etc/passwd', '', 'A'.repeat(64), `${absent}0`, `${absent}\n`]) {
      await expect(blobs.open(name)).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
      await expect(blobs.stat(name)).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
      await expect(blobs.remove(name)).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
    }
  })

  test('reading more than allowed is refused', async () => {
    const blobs = await create()
    const { sha256 } = await blobs.put(content)
    await expect(blobs.read(sha256, 3)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  })

  test('an upload that is too large, breaks off or is aborted leaves nothing behind', async () => {
    const blobs = await create()
    const broken = new Readable({ read: () => undefined })
    broken.push(content)
    const upload = blobs.put(broken)
    setImmediate(() => broken.destroy(new Error('client gone')))
    await expect(upload).rejects.toThrow('client gone')
    const cut = new Readable({ read: () => undefined })
    setImmediate(() => cut.destroy())
    await expect(blobs.put(cut)).rejects.toThrow()
    await expect(blobs.put(Readable.from([content, content]), { maxBytes: content.length })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    const controller = new AbortController()
    const endless = new Readable({ read: () => undefined })
    setImmediate(() => controller.abort(new Error('enough')))
    await expect(blobs.put(endless, { signal: controller.signal })).rejects.toThrow('enough')
    expect(endless.destroyed).toBe(true)
    expect(await listAll(blobs)).toEqual([])
  })

  test('a removed blob is gone and may come back', async () => {
    const blobs = await create()
    const { sha256 } = await blobs.put(content)
    await blobs.remove(sha256)
    expect(await blobs.stat(sha256)).toBeNull()
    await blobs.put(content)
    expect(await blobs.read(sha256, 100)).toEqual(content)
  })

  test('the list has every blob with its size and the time of its last write', async () => {
    const blobs = await create()
    const before = Date.now() - 2000
    await blobs.put(content)
    await blobs.put(Buffer.from('b'))
    const all = await listAll(blobs)
    expect(new Map(all.map((blob) => [blob.sha256, blob.sizeBytes]))).toEqual(
      new Map([
        [sha256Of(content), content.length],
        [sha256Of('b'), 1],
      ]),
    )
    expect(all.every((blob) => blob.writtenAt.getTime() >= before)).toBe(true)
  })

  test('inside a transaction every call is refused', async () => {
    const blobs = await create()
    const calls = [
      () => blobs.put(content),
      () => blobs.open(absent),
      () => blobs.read(absent, 1),
      () => blobs.stat(absent),
      () => blobs.remove(absent),
      () => listAll(blobs),
    ]
    for (const call of calls) await expect(insideTransaction<unknown>(call)).rejects.toThrow(/inside a transaction/)
  })
}
