import { Readable, Transform } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { Started } from '../component.ts'
import { AppError, TransientError } from '../errors.ts'
import { refuseInsideTransaction } from '../sql/sql.ts'
import type { DirectUploads, StagedContent, StagedPart, StagedParts } from './direct-uploads.ts'
import { type Bucket, connectBucket, type S3BucketOptions } from './s3-bucket.ts'
import { isMissing } from './s3-fault.ts'
import { watched } from './s3-read.ts'

export interface S3DirectOptions extends S3BucketOptions {
  /** Under which clients reach the store, where that is another address than this process uses. */
  readonly publicEndpoint?: string
}

/**
 * Staging names lie under `<prefix>tmp/`, which is swept: what is never taken in is removed by a later start. Asks the store nothing until it is used.
 */
export function createS3Direct(options: S3DirectOptions): Started<DirectUploads> {
  const bucket = connectBucket(options)
  const outward = options.publicEndpoint
    ? connectBucket({ ...options, endpoint: options.publicEndpoint, forcePathStyle: options.forcePathStyle ?? true })
    : bucket
  const keyOf = (name: string): string => {
    refuseInsideTransaction('staging an upload')
    if (!/^[\w-]{1,200}$/.test(name)) throw new AppError('INVALID_PARAMETER_VALUE', 'A staging name is made of letters, digits, _ and -.')
    return `${bucket.prefix}tmp/${name}`
  }
  return {
    value: {
      beginParts: async (name, count, expiresSeconds) => beginParts(bucket, outward, keyOf(name), { count, expiresSeconds }),
      completeParts: async (name, uploadId, parts) => completeParts(bucket, keyOf(name), uploadId, parts),
      abortParts: async (name, uploadId) => abortParts(bucket, keyOf(name), uploadId),
      presignWrite: async (name, expiresIn) => getSignedUrl(outward.client, new PutObjectCommand({ Bucket: bucket.name, Key: keyOf(name) }), { expiresIn }),
      open: async (name, unlike = null) => openStaged(bucket, keyOf(name), unlike),
      discard: async (name) => {
        const request = new DeleteObjectCommand({ Bucket: bucket.name, Key: keyOf(name) })
        await bucket.guard(() => bucket.client.send(request))
      },
      presignRead: async (sha256, { expiresSeconds, fileName }) => {
        const ResponseContentDisposition = `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`
        const request = new GetObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(sha256), ResponseContentDisposition })
        return getSignedUrl(outward.client, request, { expiresIn: expiresSeconds })
      },
    },
    async stop() {
      outward.close()
      if (outward !== bucket) bucket.close()
    },
  }
}

async function beginParts(bucket: Bucket, outward: Bucket, Key: string, wanted: { count: number; expiresSeconds: number }): Promise<StagedParts> {
  const Bucket = bucket.name
  const { UploadId = '' } = await bucket.guard(() => bucket.client.send(new CreateMultipartUploadCommand({ Bucket, Key })))
  const expiresIn = wanted.expiresSeconds
  const numbers = Array.from({ length: wanted.count }, (_, index) => index + 1)
  const sign = (PartNumber: number) => getSignedUrl(outward.client, new UploadPartCommand({ Bucket, Key, UploadId, PartNumber }), { expiresIn })
  return { uploadId: UploadId, urls: await Promise.all(numbers.map(sign)) }
}

const REFUSED = ['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall', 'MalformedXML']

async function completeParts(bucket: Bucket, Key: string, UploadId: string, parts: readonly StagedPart[]): Promise<void> {
  const Parts = parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }))
  const request = new CompleteMultipartUploadCommand({ Bucket: bucket.name, Key, UploadId, MultipartUpload: { Parts } })
  await bucket.guard(async () => {
    try {
      await bucket.client.send(request)
    } catch (error) {
      const code = error instanceof S3ServiceException ? error.name : ''
      if (REFUSED.includes(code))
        throw new AppError('INVALID_PARAMETER_VALUE', `The store does not put these parts together (${code}): send them again`, { cause: error })
      if (code === 'NoSuchUpload' && (await isThere(bucket, Key))) return
      throw code === 'NoSuchUpload'
        ? new AppError('RESOURCE_DOES_NOT_EXIST', 'The store does not know this upload any more: begin anew', { cause: error })
        : error
    }
  })
}

async function isThere(bucket: Bucket, Key: string): Promise<boolean> {
  try {
    await bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key }))
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function abortParts(bucket: Bucket, Key: string, UploadId: string): Promise<void> {
  const request = new AbortMultipartUploadCommand({ Bucket: bucket.name, Key, UploadId })
  await bucket.guard(async () => {
    await bucket.client.send(request).catch((error: unknown) => {
      if (!(error instanceof S3ServiceException && error.name === 'NoSuchUpload')) throw error
    })
  })
}

async function openStaged(bucket: Bucket, Key: string, unlike: string | null): Promise<StagedContent | null> {
  const request = new GetObjectCommand({ Bucket: bucket.name, Key })
  return bucket.guard(async () => {
    try {
      const { Body, ContentLength = 0, ETag: etag = '' } = await bucket.reader.send(request)
      const body = Body instanceof Readable ? Body : Readable.from([])
      if (etag !== unlike) return { content: watched(bucket, body, ofLength(ContentLength)), etag }
      body.destroy()
      return null
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  })
}

function ofLength(sizeBytes: number): Transform {
  let seen = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length
      done(null, chunk)
    },
    flush(done) {
      done(seen === sizeBytes ? null : new TransientError(`A staged upload was cut off after ${seen} of ${sizeBytes} bytes`))
    },
  })
}
