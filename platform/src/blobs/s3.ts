import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { Started } from '../component.ts'
import { messageOf } from '../errors.ts'
import { silentLog } from '../log.ts'
import { refuseInsideTransaction } from '../sql/sql.ts'
import type { BlobInfo, Blobs } from './blobs.ts'
import { type Bucket, connectBucket, type S3BucketOptions } from './s3-bucket.ts'
import { explainS3Fault, explainUnusable } from './s3-fault.ts'
import { openObject, readObject, statObject } from './s3-read.ts'
import { sweepLeftovers } from './s3-sweep.ts'
import { uploadBlob } from './s3-upload.ts'

export interface S3BlobsOptions extends S3BucketOptions {
  /** Largest blob, unless a call sets its own limit. The store's own is 10,000 parts. */
  readonly maxBytes?: number
  /** Size of a part. What fits in one is sent at once. Default 8 MiB, at least 5 MiB for Amazon; an upload holds up to five parts in memory. */
  readonly partBytes?: number
  /** Most that the store copies at once. Default 1 GiB (Amazon: 5 GiB). */
  readonly copyBytes?: number
  /** Age at which an unfinished upload is nobody's any more. Default 24 h. */
  readonly unfinishedAfterMs?: number
}

export interface S3Blobs extends Blobs {
  /** An address that anyone may read the blob from until it expires; that there is such a blob is not checked. Signed here, without asking the store. */
  presignRead(sha256: string, options: { expiresSeconds: number; fileName?: string }): Promise<string>
}

const MIB = 1024 ** 2
const DAY_MS = 86_400_000

/**
 * Blobs in a bucket, under `<prefix>sha256/<first two digits>/<digest>`. At the start, what killed processes left unfinished is removed, once it is old enough.
 * @throws AppError RESOURCE_DOES_NOT_EXIST (no such bucket), PERMISSION_DENIED; TransientError when the store does not answer
 */
export async function createS3Blobs(options: S3BlobsOptions): Promise<Started<S3Blobs>> {
  const bucket = connectBucket(options)
  try {
    // A HEAD has no body, and so no word about what is wrong.
    await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.name, Prefix: bucket.prefix, MaxKeys: 1 }))
  } catch (error) {
    bucket.close()
    throw explainUnusable(bucket.where, error)
  }
  await sweep(bucket, options)
  return {
    value: createBlobs(bucket, options),
    async stop() {
      bucket.close()
    },
  }
}

/** Leftovers cost money, not correctness: a user without the right to list uploads can still store blobs. */
async function sweep(bucket: Bucket, { unfinishedAfterMs = DAY_MS, log = silentLog }: S3BlobsOptions): Promise<void> {
  try {
    const { uploads, objects } = await sweepLeftovers(bucket, new Date(Date.now() - unfinishedAfterMs))
    if (uploads + objects > 0) log.info('Removed what unfinished uploads had left in the bucket', { bucket: bucket.name, uploads, objects })
  } catch (error) {
    log.warn('Leftovers of unfinished uploads cannot be removed', { bucket: bucket.name, reason: messageOf(error) })
  }
}

function createBlobs(bucket: Bucket, options: S3BlobsOptions): S3Blobs {
  const { maxBytes = Number.MAX_SAFE_INTEGER, partBytes = 8 * MIB, copyBytes = 1024 * MIB } = options
  const outside = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    refuseInsideTransaction(what)
    return work()
  }
  return {
    put: (content, own = {}) => outside('writing a blob', () => uploadBlob(bucket, content, { partBytes, copyBytes, maxBytes, ...own })),
    open: (sha256, range) => outside('reading a blob', () => openObject(bucket, sha256, range)),
    read: (sha256, limit) => outside('reading a blob', () => readObject(bucket, sha256, limit)),
    stat: (sha256) => outside('looking for a blob', () => statObject(bucket, sha256)),
    remove: (sha256) => outside('removing a blob', () => removeObject(bucket, sha256)),
    list: () => listObjects(bucket),
    presignRead: (sha256, { expiresSeconds, fileName }) => presign(bucket, sha256, expiresSeconds, fileName),
  }
}

async function removeObject(bucket: Bucket, sha256: string): Promise<void> {
  const request = new DeleteObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(sha256) })
  await bucket.guard(() => bucket.client.send(request))
}

async function* listObjects(bucket: Bucket): AsyncGenerator<BlobInfo & { writtenAt: Date }> {
  refuseInsideTransaction('listing blobs')
  const { client, name: Bucket, prefix } = bucket
  try {
    for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: `${prefix}sha256/` })) {
      for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
        const sha256 = Key?.split('/').at(-1) ?? ''
        if (LastModified && /^[0-9a-f]{64}$/.test(sha256)) yield { sha256, sizeBytes: Size, writtenAt: LastModified }
      }
    }
  } catch (error) {
    throw explainS3Fault(bucket.where, error)
  }
}

async function presign(bucket: Bucket, sha256: string, expiresIn: number, fileName?: string): Promise<string> {
  const disposition = fileName === undefined ? {} : { ResponseContentDisposition: `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}` }
  const request = new GetObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(sha256), ...disposition })
  return getSignedUrl(bucket.client, request, { expiresIn })
}
