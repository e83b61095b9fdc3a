import type { ImagePreprocessing } from '@millrace/contracts/model/model-spec.ts'
import sharp, { type Sharp } from 'sharp'
import { AppError } from '../errors.ts'
import type { RgbPicture } from './image-statistics.ts'

export interface ImageLimits {
  /** Width x height of the stored picture; checked on its header, before anything is decoded. */
  readonly maxPixels: number
  /** Time for decoding one picture, in seconds. */
  readonly maxSeconds: number
}

export const defaultImageLimits: ImageLimits = { maxPixels: 50_000_000, maxSeconds: 10 }

/** Formats by their first bytes. Vector, document and camera formats are left out: their decoders are large, and clients send photographs. */
const signatures: readonly { format: string; matches(bytes: Uint8Array): boolean }[] = [
  { format: 'jpeg', matches: (bytes) => startsWith(bytes, [0xff, 0xd8, 0xff]) },
  { format: 'png', matches: (bytes) => startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) },
  { format: 'gif', matches: (bytes) => startsWith(bytes, [0x47, 0x49, 0x46, 0x38]) },
  { format: 'webp', matches: (bytes) => startsWith(bytes, [0x52, 0x49, 0x46, 0x46]) && startsWith(bytes.subarray(8), [0x57, 0x45, 0x42, 0x50]) },
]

/** Formats that are decoded, for messages. */
export const imageFormats: readonly string[] = signatures.map(({ format }) => format)

const startsWith = (bytes: Uint8Array, start: readonly number[]): boolean => start.every((byte, i) => bytes[i] === byte)

const otherFormats: readonly { name: string; start: string }[] = [
  { name: 'SVG', start: '<svg' },
  { name: 'XML or SVG', start: '<?xml' },
  { name: 'PDF', start: '%PDF' },
  { name: 'TIFF', start: 'II*' },
  { name: 'TIFF', start: 'MM\0*' },
  { name: 'HEIF or AVIF', start: '\0\0\0' },
  { name: 'BMP', start: 'BM' },
]

/** The format by the picture's first bytes; the decoder is chosen by them alone, never by a name or a header. */
function formatOf(bytes: Uint8Array): string {
  const known = signatures.find(({ matches }) => matches(bytes))
  if (known) return known.format
  const expected = `send a ${imageFormats.join(', ')} picture`
  if (bytes.length === 0) throw new AppError('INVALID_IMAGE', `The image is empty (0 bytes): ${expected}`)
  const text = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart()
  const other = otherFormats.find(({ start }) => text.startsWith(start))
  if (other) throw new AppError('UNSUPPORTED_MEDIA_TYPE', `${other.name} pictures are not accepted: ${expected}`)
  throw new AppError('INVALID_IMAGE', `The bytes are not an image: ${expected}`)
}

/** Reads the header alone; the limit is ours to check here, so that the refusal can name the size. */
async function checkHeader(bytes: Uint8Array, format: string, { maxPixels }: ImageLimits): Promise<{ width: number; height: number }> {
  const header = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw new AppError('INVALID_IMAGE', `The ${format} picture cannot be read: its header is damaged or cut off`, { cause })
    })
  const { width, height } = header
  if (header.format !== format || width < 1 || height < 1) throw new AppError('INVALID_IMAGE', `The ${format} picture cannot be read: its header is damaged`)
  if (width * height > maxPixels) {
    throw new AppError('IMAGE_TOO_LARGE', `The picture has ${width} x ${height} pixels; at most ${maxPixels} are accepted: send a smaller copy`, {
      details: { width, height, maxPixels },
    })
  }
  const turned = (header.orientation ?? 1) >= 5
  return turned ? { width: height, height: width } : { width, height }
}

/** @throws AppError INVALID_IMAGE when the data behind the header is damaged or cut off */
async function decode(image: Sharp, format: string): Promise<RgbPicture> {
  try {
    const { data, info } = await image.flatten({ background: '#000' }).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    if (info.channels === 3) return { pixels: data, width: info.width, height: info.height }
    throw new AppError('INVALID_IMAGE', `The ${format} picture has ${info.channels} channels after decoding; 3 were expected`)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('INVALID_IMAGE', `The ${format} picture cannot be decoded: it is damaged or cut off`, { cause })
  }
}

async function open(bytes: Uint8Array, limits: ImageLimits): Promise<{ image: Sharp; format: string; width: number; height: number }> {
  const format = formatOf(bytes)
  const size = await checkHeader(bytes, format, limits)
  const image = sharp(bytes, { limitInputPixels: limits.maxPixels, failOn: 'error', sequentialRead: true })
  return { image: image.autoOrient().timeout({ seconds: limits.maxSeconds }), format, ...size }
}

/** Bytes to network input: `(byte * scale - mean) / std` per channel, in the layout that the model asks for. */
export function toTensor(pixels: Uint8Array, { width, height, layout, scale, mean, std }: ImagePreprocessing): Float32Array {
  const size = width * height
  const tensor = new Float32Array(size * 3)
  for (let channel = 0; channel < 3; channel++) {
    const factor = scale / (std[channel] ?? 1)
    const offset = (mean[channel] ?? 0) / (std[channel] ?? 1)
    const [start, stride] = layout === 'NCHW' ? [channel * size, 1] : [channel, 3]
    for (let i = 0; i < size; i++) tensor[start + i * stride] = (pixels[i * 3 + channel] ?? 0) * factor - offset
  }
  return tensor
}

/**
 * Turns an encoded picture into the model's input for one row: `[height, width, 3]` or `[3, height, width]`, flat.
 * Turned by EXIF, alpha onto black, stretched (`fill`) or cut to the middle (`cover`).
 * @throws AppError INVALID_IMAGE, IMAGE_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
 */
export async function preprocessImage(bytes: Uint8Array, preprocessing: ImagePreprocessing, limits: ImageLimits = defaultImageLimits): Promise<Float32Array> {
  const { image, format } = await open(bytes, limits)
  const { width, height, resize } = preprocessing
  const { pixels } = await decode(image.resize(width, height, { fit: resize }), format)
  return toTensor(pixels, preprocessing)
}

/** Longest side of the copy that image statistics are taken from: the same for every picture, so that cameras of different resolution can be compared. */
const STATISTICS_SIDE = 256

/**
 * A copy of at most 256 pixels a side, for `imageStatistics`; smaller pictures keep their size.
 * @throws AppError INVALID_IMAGE, IMAGE_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
 */
export async function decodeForStatistics(bytes: Uint8Array, limits: ImageLimits = defaultImageLimits): Promise<RgbPicture> {
  const { image, format, width, height } = await open(bytes, limits)
  const picture = await decode(image.resize(STATISTICS_SIDE, STATISTICS_SIDE, { fit: 'inside', withoutEnlargement: true }), format)
  return { ...picture, aspectRatio: height / width }
}
