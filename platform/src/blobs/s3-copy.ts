import { type CompletedPart, CopyObjectCommand, DeleteObjectCommand, HeadObjectCommand, UploadPartCopyCommand } from '@aws-sdk/client-s3'
import { TransientError } from '../errors.ts'
import type { BlobInfo } from './blobs.ts'
import type { Bucket } from './s3-bucket.ts'
import { checksumOf, multipart } from './s3-multipart.ts'

/** Gives an uploaded object the name of its digest, then removes the temporary one. Copying over a present blob renews the time of its last write. */
export async function copyToDigest(bucket: Bucket, from: string, info: BlobInfo, copyBytes: number): Promise<BlobInfo> {
  const { client, name: Bucket } = bucket
  try {
    if (info.sizeBytes > copyBytes) await copyInParts(bucket, from, info, copyBytes)
    else await copyWhole(bucket, from, info)
    return info
  } finally {
    // One that remains is removed by a later start.
    await client.send(new DeleteObjectCommand({ Bucket, Key: from })).catch(() => undefined)
  }
}

const sourceOf = (bucket: Bucket, key: string): string => `${bucket.name}/${key.split('/').map(encodeURIComponent).join('/')}`

async function copyWhole(bucket: Bucket, from: string, { sha256, sizeBytes }: BlobInfo): Promise<void> {
  const { client, name: Bucket } = bucket
  await expectSize(bucket, from, sizeBytes)
  const request = new CopyObjectCommand({ Bucket, Key: bucket.keyOf(sha256), CopySource: sourceOf(bucket, from), ChecksumAlgorithm: 'SHA256' })
  const { CopyObjectResult: result } = await bucket.guard(() => client.send(request))
  const stored = result?.ChecksumSHA256
  // A store that digests what it copied says whether it is what was hashed on the way in; one that does not, or digests parts ("…-2"), says nothing.
  if (!stored || stored.includes('-') || stored === checksumOf(sha256)) return
  await client.send(new DeleteObjectCommand({ Bucket, Key: bucket.keyOf(sha256) }))
  throw new TransientError(`${bucket.where} stored other bytes than it was sent`)
}

async function expectSize(bucket: Bucket, Key: string, sizeBytes: number): Promise<void> {
  const { ContentLength } = await bucket.guard(() => bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key })))
  if (ContentLength !== sizeBytes) throw new TransientError(`${bucket.where} stored ${ContentLength} bytes of ${sizeBytes}`)
}

/** Amazon copies at most 5 GiB at once. The name appears when the last part is there. */
async function copyInParts(bucket: Bucket, from: string, { sha256, sizeBytes }: BlobInfo, copyBytes: number): Promise<void> {
  await expectSize(bucket, from, sizeBytes)
  await multipart(bucket, bucket.keyOf(sha256), {}, async (upload) => {
    const parts: CompletedPart[] = []
    for (let start = 0; start < sizeBytes; start += copyBytes) {
      const PartNumber = parts.length + 1
      const CopySourceRange = `bytes=${start}-${Math.min(start + copyBytes, sizeBytes) - 1}`
      const request = new UploadPartCopyCommand({ ...upload, PartNumber, CopySource: sourceOf(bucket, from), CopySourceRange })
      const { CopyPartResult: result } = await bucket.guard(() => bucket.client.send(request))
      parts.push({ PartNumber, ...(result?.ETag ? { ETag: result.ETag } : {}) })
    }
    return parts
  })
}
