import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { promisify } from 'node:util'
import { brotliDecompress, createBrotliDecompress, createGunzip, createInflate, gunzip, inflate } from 'node:zlib'
import { AppError } from '@millrace/platform/errors.ts'

interface Coding {
  readonly unpack: (content: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
  readonly stream: () => Transform
}

const codings: ReadonlyMap<string, Coding> = new Map([
  ['gzip', { unpack: promisify(gunzip), stream: createGunzip }],
  ['x-gzip', { unpack: promisify(gunzip), stream: createGunzip }],
  ['deflate', { unpack: promisify(inflate), stream: createInflate }],
  ['br', { unpack: promisify(brotliDecompress), stream: createBrotliDecompress }],
])

/** How the body was packed; null for not at all. @throws AppError UNSUPPORTED_MEDIA_TYPE for codings that are not offered, or more than one */
export function codingOf(request: IncomingMessage): Coding | null {
  const named = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (named === '' || named === 'identity') return null
  const coding = codings.get(named)
  if (coding) return coding
  throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'The Content-Encoding is not one of gzip, deflate and br: send the body packed as one of them, or as it is.')
}

/** Unpacks a body, up to `maxBytes`: a small body may stand for a thousand times its size. @throws AppError PAYLOAD_TOO_LARGE, BAD_REQUEST */
export async function decompress(content: Buffer, coding: Coding, maxBytes: number): Promise<Buffer> {
  if (content.length === 0) return content
  try {
    return await coding.unpack(content, { maxOutputLength: maxBytes })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new AppError('PAYLOAD_TOO_LARGE', `The unpacked body is larger than the ${maxBytes} bytes allowed here: send less.`, { cause })
    }
    throw damaged(cause)
  }
}

export const damaged = (cause: unknown): AppError => new AppError('BAD_REQUEST', 'The body is not what its Content-Encoding says, or is cut off.', { cause })
