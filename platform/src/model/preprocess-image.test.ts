import { deflateSync } from 'node:zlib'
import type { ImagePreprocessing } from '@millrace/contracts/model/model-spec.ts'
import fc from 'fast-check'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { decodeForStatistics, preprocessImage } from './preprocess-image.ts'

const raw: ImagePreprocessing = { kind: 'image', width: 2, height: 1, layout: 'NHWC', resize: 'fill', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }

/** Left half red, right half blue. */
const halves = () => sharp(Buffer.from([255, 0, 0, 0, 0, 255]), { raw: { width: 2, height: 1, channels: 3 } })

test('pixels become (byte * scale - mean) / std in RGB order', async () => {
  const bytes = await halves().png().toBuffer()
  expect([...(await preprocessImage(bytes, raw))]).toEqual([255, 0, 0, 0, 0, 255])
  const scaled = await preprocessImage(bytes, { ...raw, scale: 1 / 255, mean: [0.5, 0, 0], std: [0.5, 1, 2] })
  expect([...scaled]).toEqual([1, 0, 0, -1, 0, 0.5])
})

test('NCHW puts the channels one after another', async () => {
  const bytes = await halves().png().toBuffer()
  expect([...(await preprocessImage(bytes, { ...raw, layout: 'NCHW' }))]).toEqual([255, 0, 0, 0, 0, 255])
})

test('a picture is turned as its EXIF says', async () => {
  const turned = await halves().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).withMetadata({ orientation: 3 }).toBuffer()
  const tensor = await preprocessImage(turned, raw)
  expect(tensor[2]).toBeGreaterThan(200)
  expect(tensor[3]).toBeGreaterThan(200)
})

test('the aspect ratio is that of the turned picture', async () => {
  const turned = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#777' } })
    .jpeg()
    .withMetadata({ orientation: 6 })
    .toBuffer()
  expect(await decodeForStatistics(turned)).toMatchObject({ width: 20, height: 40, aspectRatio: 2 })
})

test('transparency lies on black, grey and 16-bit pictures become RGB bytes', async () => {
  const clear = await sharp(Buffer.from([255, 255, 255, 0, 255, 255, 255, 255]), { raw: { width: 2, height: 1, channels: 4 } })
    .png()
    .toBuffer()
  expect([...(await preprocessImage(clear, raw))]).toEqual([0, 0, 0, 255, 255, 255])
  const grey = await sharp({ create: { width: 2, height: 1, channels: 3, background: '#808080' } })
    .toColourspace('grey16')
    .png()
    .toBuffer()
  expect([...(await preprocessImage(grey, raw))].every((value) => Math.abs(value - 128) <= 1)).toBe(true)
})

test('cover cuts to the middle, fill stretches', async () => {
  const wide = await sharp(Buffer.from([255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255]), { raw: { width: 4, height: 1, channels: 3 } })
    .png()
    .toBuffer()
  expect([...(await preprocessImage(wide, { ...raw, resize: 'cover' }))]).toEqual([0, 0, 0, 0, 0, 0])
  expect((await preprocessImage(wide, raw))[0]).toBeGreaterThan(90)
})

test.each(['jpeg', 'png', 'webp', 'gif'] as const)('%s pictures are read', async (format) => {
  const bytes = await sharp({ create: { width: 8, height: 6, channels: 3, background: '#4080c0' } })
    .toFormat(format)
    .toBuffer()
  expect(await preprocessImage(bytes, raw)).toHaveLength(6)
})

test('a large picture’s copy for statistics has at most 256 pixels a side', async () => {
  const bytes = await sharp({ create: { width: 800, height: 400, channels: 3, background: '#345' } })
    .jpeg()
    .toBuffer()
  expect(await decodeForStatistics(bytes)).toMatchObject({ width: 256, height: 128, aspectRatio: 0.5 })
})

const photograph = () => sharp({ create: { width: 200, height: 100, channels: 3, background: '#345', noise: { type: 'gaussian', mean: 128, sigma: 40 } } })

test.each([
  ['nothing', Buffer.alloc(0), 'INVALID_IMAGE', 'empty'],
  ['text', Buffer.from('not an image at all'), 'INVALID_IMAGE', 'not an image'],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'UNSUPPORTED_MEDIA_TYPE', 'SVG'],
  ['SVG behind an XML head', Buffer.from('  <?xml version="1.0"?><svg/>'), 'UNSUPPORTED_MEDIA_TYPE', 'SVG'],
  ['PDF', Buffer.from('%PDF-1.7'), 'UNSUPPORTED_MEDIA_TYPE', 'PDF'],
  ['TIFF', Buffer.from('II*\0........'), 'UNSUPPORTED_MEDIA_TYPE', 'TIFF'],
  ['a JPEG that is only a beginning', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'INVALID_IMAGE', 'damaged or cut off'],
] as const)('%s is refused, with what is expected', async (_name, bytes, code, message) => {
  await expect(preprocessImage(bytes, raw)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
})

test.each(['jpeg', 'png', 'webp'] as const)('a truncated %s is refused', async (format) => {
  const whole = await photograph().toFormat(format).toBuffer()
  await expect(preprocessImage(whole.subarray(0, whole.length / 2), raw)).rejects.toMatchObject({ code: 'INVALID_IMAGE' })
})

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

test('a PNG of 20,000 x 20,000 is refused by its header, before it is decoded', async () => {
  const header = Buffer.from([0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20, 8, 2, 0, 0, 0])
  const bomb = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND', Buffer.alloc(0)),
  ])
  await expect(preprocessImage(bomb, raw)).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE', details: { width: 20_000, height: 20_000 } })
})

test('a picture with changed bytes is read or refused, and never ends in another error', async () => {
  const whole = await photograph().jpeg().toBuffer()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }), async (changes) => {
      const bytes = Buffer.from(whole)
      for (const [at, byte] of changes) bytes[at] = byte
      const outcome = await preprocessImage(bytes, raw).catch((error: unknown) => error)
      expect(outcome instanceof Float32Array || outcome instanceof AppError).toBe(true)
    }),
    { numRuns: 60 },
  )
})
