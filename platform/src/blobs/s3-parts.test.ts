import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asReadable, hashInParts } from './s3-parts.ts'

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('however the content comes in, the parts are full but for the last, make up the content, and the digest is its own', async () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 12 }), async (written, partBytes) => {
      const content = Buffer.concat(written)
      const { parts, digest } = hashInParts(Readable.from(written), partBytes, 1_000)
      const read = await collect(parts)
      expect(Buffer.concat(read.map((part) => part.bytes))).toEqual(content)
      expect(read.map((part) => part.last)).toEqual(read.map((_, index) => index === read.length - 1))
      expect(read.slice(0, -1).every((part) => part.bytes.length === partBytes)).toBe(true)
      expect(read.at(-1)?.bytes.length).toBeLessThanOrEqual(partBytes)
      expect(read).toHaveLength(Math.max(1, Math.ceil(content.length / partBytes)))
      expect(digest()).toEqual({ sha256: createHash('sha256').update(content).digest('hex'), sizeBytes: content.length })
    }),
  )
})

test('content beyond the limit is refused, and its source is let go', async () => {
  const source = Readable.from([Buffer.alloc(3), Buffer.alloc(3), Buffer.alloc(3)])
  await expect(collect(hashInParts(source, 2, 5).parts)).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    message: expect.stringContaining('5 bytes'),
  })
  expect(source.destroyed).toBe(true)
})

test('bytes are a stream of one chunk', async () => {
  expect(await collect(asReadable(new Uint8Array([1, 2])))).toEqual([new Uint8Array([1, 2])])
})
