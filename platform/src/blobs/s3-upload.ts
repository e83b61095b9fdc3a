import type { Readable } from 'node:stream'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { BlobInfo } from './blobs.ts'
import type { Bucket } from './s3-bucket.ts'
import { copyToDigest } from './s3-copy.ts'
import { checksumOf, MAX_PARTS, uploadParts } from './s3-multipart.ts'
import { asReadable, hashInParts } from './s3-parts.ts'

export interface UploadOptions {
  readonly partBytes: number
  readonly copyBytes: number
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

/**
 * What fits in one part is sent under its digest at once, since the digest is known by then. More goes to a temporary key while it is hashed, and is copied by
 * the store: under a digest there is always the whole blob or nothing.
 */
export async function uploadBlob(bucket: Bucket, content: Readable | Uint8Array, options: UploadOptions): Promise<BlobInfo> {
  const { signal, partBytes, copyBytes } = options
  const source = asReadable(content)
  // Until it is read nobody listens: a stream that fails before that must not end the process; reading it throws its error.
  source.on('error', () => undefined)
  const destroy = (): void => {
    source.destroy(signal?.reason)
  }
  signal?.addEventListener('abort', destroy, { once: true })
  try {
    signal?.throwIfAborted()
    const { parts, digest } = hashInParts(source, partBytes, Math.min(options.maxBytes, MAX_PARTS * partBytes))
    const { value: first } = await parts.next()
    if (!first || first.last) return await putWhole(bucket, first?.bytes ?? Buffer.alloc(0), digest(), signal)
    const key = await uploadParts(bucket, first, parts)
    return await copyToDigest(bucket, key, digest(), copyBytes)
  } catch (error) {
    source.destroy()
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', destroy)
  }
}

async function putWhole(bucket: Bucket, bytes: Buffer, info: BlobInfo, signal: AbortSignal | undefined): Promise<BlobInfo> {
  const request = new PutObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(info.sha256), Body: bytes, ChecksumSHA256: checksumOf(info.sha256) })
  await bucket.guard(() => bucket.client.send(request, signal ? { abortSignal: signal } : {}))
  return info
}
