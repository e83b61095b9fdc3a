import { createHash } from 'node:crypto'
import { pipeline, Readable, Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { AppError, TransientError } from '../errors.ts'
import type { BlobInfo } from './blobs.ts'
import type { Bucket } from './s3-bucket.ts'
import { explainS3Fault, isMissing, statusOf } from './s3-fault.ts'

export interface ByteRange {
  readonly start: number
  readonly end: number
}

const RANGE_NOT_SATISFIABLE = 416

export async function statObject(bucket: Bucket, sha256: string): Promise<BlobInfo | null> {
  const request = new HeadObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(sha256) })
  return bucket.guard(async () => {
    try {
      const { ContentLength = 0 } = await bucket.client.send(request)
      return { sha256, sizeBytes: ContentLength }
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  })
}

export async function openObject(bucket: Bucket, sha256: string, range?: ByteRange): Promise<Readable> {
  const { body } = await get(bucket, sha256, range)
  return range ? watched(bucket, body, new Transform({ transform: pass })) : watched(bucket, body, verifying(sha256))
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST, PAYLOAD_TOO_LARGE */
export async function readObject(bucket: Bucket, sha256: string, maxBytes: number): Promise<Buffer> {
  const { body, sizeBytes } = await get(bucket, sha256)
  if (sizeBytes > maxBytes) {
    body.destroy()
    throw new AppError('PAYLOAD_TOO_LARGE', `Blob ${sha256} has ${sizeBytes} bytes, at most ${maxBytes} are read here.`)
  }
  return buffer(watched(bucket, body, verifying(sha256)))
}

async function get(bucket: Bucket, sha256: string, range?: ByteRange): Promise<{ body: Readable; sizeBytes: number }> {
  const Range = range ? `bytes=${range.start}-${range.end}` : undefined
  const request = new GetObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(sha256), ...(Range ? { Range } : {}) })
  return bucket.guard(async () => {
    try {
      const { Body, ContentLength = 0 } = await bucket.reader.send(request)
      return { body: Body instanceof Readable ? Body : Readable.from([]), sizeBytes: ContentLength }
    } catch (error) {
      if (isMissing(error)) throw new AppError('RESOURCE_DOES_NOT_EXIST', `There is no blob ${sha256}.`, { cause: error })
      // A range that begins behind the end has no bytes.
      if (range && statusOf(error) === RANGE_NOT_SATISFIABLE) return { body: Readable.from([]), sizeBytes: 0 }
      throw error
    }
  })
}

function pass(chunk: Buffer, _encoding: BufferEncoding, done: (error: Error | null, chunk: Buffer) => void): void {
  done(null, chunk)
}

/** Passes the bytes on, and fails at their end when they are not those of the digest: a store may lose or change bytes, and a connection may be cut. */
function verifying(sha256: string): Transform {
  const hash = createHash('sha256')
  return new Transform({
    transform(chunk: Buffer, encoding, done) {
      hash.update(chunk)
      pass(chunk, encoding, done)
    },
    flush(done) {
      const found = hash.digest('hex')
      done(found === sha256 ? null : new TransientError(`Blob ${sha256} was read as bytes with the digest ${found}: the store changed or cut them`))
    },
  })
}

/** The body through `through`: its faults in the terms of the port, and an end to a store that stops sending while somebody waits for it. */
export function watched(bucket: Bucket, body: Readable, through: Transform): Readable {
  const fail = (error: unknown): void => {
    const explained = explainS3Fault(bucket.where, error)
    through.destroy(explained instanceof Error ? explained : new Error(String(explained)))
  }
  const silence = setInterval(() => {
    if (!through.writableNeedDrain) fail(new Error(`no byte for ${bucket.silenceMs} ms`))
  }, bucket.silenceMs)
  body.on('error', fail)
  body.on('data', () => silence.refresh())
  pipeline(body, through, () => clearInterval(silence))
  return through
}
