import { createHash, randomUUID } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { crashPoint } from '../crash-point.ts'
import type { Bucket } from './s3-bucket.ts'
import type { Part } from './s3-parts.ts'

/** S3 takes at most so many parts in one upload. */
export const MAX_PARTS = 10_000
/** Parts on their way at once: with the one being filled they bound the memory of an upload. */
const IN_FLIGHT = 3

/** S3 writes digests in base64. */
export const checksumOf = (sha256: string): string => Buffer.from(sha256, 'hex').toString('base64')

/** How the sender digests the parts; left out where the store makes them itself. */
interface MultipartOptions {
  readonly ChecksumAlgorithm?: 'SHA256'
}

interface Upload {
  readonly Bucket: string
  readonly Key: string
  readonly UploadId: string | undefined
}

/** Begins a multipart upload, lets `fill` send its parts, and completes it; a failure aborts it, so that the store keeps none of it. */
export async function multipart(bucket: Bucket, Key: string, options: MultipartOptions, fill: (upload: Upload) => Promise<CompletedPart[]>): Promise<void> {
  const { client, name: Bucket } = bucket
  const { UploadId } = await bucket.guard(() => client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...options })))
  const upload = { Bucket, Key, UploadId }
  try {
    const Parts = await fill(upload)
    await bucket.guard(() => client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })))
  } catch (error) {
    // What cannot be aborted now is aborted by a later start.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
    throw error
  }
}

/** Sends the parts to a temporary key while they come in, and answers the key. */
export async function uploadParts(bucket: Bucket, first: Part, rest: AsyncIterable<Part>): Promise<string> {
  const key = `${bucket.prefix}tmp/${randomUUID()}`
  await multipart(bucket, key, { ChecksumAlgorithm: 'SHA256' }, async (upload) => {
    const parts: Promise<CompletedPart>[] = []
    const send = async (bytes: Buffer): Promise<void> => {
      const part = sendPart(bucket, upload, parts.length + 1, bytes)
      // Its failure is met when its turn comes; until then nobody listens.
      part.catch(() => undefined)
      parts.push(part)
      await parts.at(-IN_FLIGHT)
    }
    try {
      await send(first.bytes)
      crashPoint('mid_artifact_write')
      for await (const { bytes } of rest) await send(bytes)
      return await Promise.all(parts)
    } catch (error) {
      // A store that is still taking a part in would keep it in spite of the abort that follows.
      await Promise.allSettled(parts)
      throw error
    }
  })
  return key
}

async function sendPart(bucket: Bucket, upload: Upload, PartNumber: number, Body: Buffer): Promise<CompletedPart> {
  const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64')
  const { ETag } = await bucket.guard(() => bucket.client.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumSHA256 })))
  return { PartNumber, ChecksumSHA256, ...(ETag ? { ETag } : {}) }
}
