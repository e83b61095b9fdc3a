import { Readable, Transform } from 'node:stream'
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type ListObjectsV2CommandOutput, S3ServiceException } from '@aws-sdk/client-s3'
import type { Started } from '../component.ts'
import { AppError, TransientError } from '../errors.ts'
import { refuseInsideTransaction } from '../sql/sql.ts'
import { type ExternalArtifacts, type ExternalContent, type ExternalFile, type ExternalPage, type ExternalPlace, isWithin } from './external-artifacts.ts'
import { type Bucket, connectBucket, type S3BucketOptions } from './s3-bucket.ts'
import { explainS3Fault, isMissing } from './s3-fault.ts'
import { watched } from './s3-read.ts'

export interface S3ExternalOptions extends Omit<S3BucketOptions, 'bucket' | 'prefix'> {
  /** Nothing outside of these is asked for. */
  readonly roots: readonly ExternalPlace[]
}

/** Buckets of one store, read below the roots. Asks the store nothing until it is used. */
export function createS3External({ roots, ...connection }: S3ExternalOptions): Started<ExternalArtifacts> {
  const names = new Set(roots.map((root) => root.bucket))
  const buckets = new Map([...names].map((bucket) => [bucket, connectBucket({ ...connection, bucket })]))
  const reach = (place: ExternalPlace): Bucket => {
    refuseInsideTransaction('reading a bucket')
    const bucket = buckets.get(place.bucket)
    if (bucket && roots.some((root) => isWithin(place, root)) && !place.key.split('/').includes('..')) return bucket
    throw new AppError('INVALID_PARAMETER_VALUE', `${uriOf(place)} lies under none of the locations that may be read`)
  }
  return {
    value: {
      list: async (folder, pageToken) => listFolder(reach(folder), folder, pageToken),
      tree: async (place, limit) => listTree(reach(place), place, limit),
      open: async (file, etag) => openFile(reach(file), file, etag),
    },
    async stop() {
      for (const bucket of buckets.values()) bucket.close()
    },
  }
}

const uriOf = ({ bucket, key }: ExternalPlace): string => `s3://${bucket}/${key}`
const prefixOf = ({ key }: ExternalPlace): string => (key === '' ? '' : `${key}/`)

/** Unlike a missing bucket of the platform's own, one that others should have written to is not waited for. */
async function ask<T>(bucket: Bucket, place: ExternalPlace, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (isMissing(error)) throw new AppError('RESOURCE_DOES_NOT_EXIST', `There is no ${uriOf(place)}`, { cause: error })
    if (error instanceof S3ServiceException && error.name === 'NoSuchBucket') {
      throw new AppError('RESOURCE_DOES_NOT_EXIST', `There is no bucket ${place.bucket}`, { cause: error })
    }
    throw explainS3Fault(bucket.where, error)
  }
}

async function listFolder(bucket: Bucket, folder: ExternalPlace, pageToken?: string): Promise<ExternalPage> {
  const Prefix = prefixOf(folder)
  const request = new ListObjectsV2Command({ Bucket: bucket.name, Prefix, Delimiter: '/', ...(pageToken ? { ContinuationToken: pageToken } : {}) })
  const page = await ask(bucket, folder, async () => {
    try {
      return await bucket.client.send(request)
    } catch (error) {
      // The token is the only part of the request that the caller chose freely.
      if (!pageToken || !(error instanceof S3ServiceException) || error.name !== 'InvalidArgument') throw error
      throw new AppError('INVALID_PARAMETER_VALUE', 'Invalid page token: take the next_page_token of the page before', { cause: error })
    }
  })
  return {
    folders: (page.CommonPrefixes ?? []).flatMap((common) => common.Prefix?.slice(Prefix.length, -1) || []),
    // An object whose key ends in a slash is what some tools make in place of a folder.
    files: (page.Contents ?? []).flatMap(({ Key = '', Size = 0 }) => (Key.endsWith('/') ? [] : { name: Key.slice(Prefix.length), sizeBytes: Size })),
    nextPageToken: (page.IsTruncated && page.NextContinuationToken) || null,
  }
}

async function listTree(bucket: Bucket, place: ExternalPlace, limit: number): Promise<ExternalFile[]> {
  const files: ExternalFile[] = []
  let token: string | undefined
  do {
    const request = new ListObjectsV2Command({ Bucket: bucket.name, Prefix: prefixOf(place), ...(token ? { ContinuationToken: token } : {}) })
    const page: ListObjectsV2CommandOutput = await ask(bucket, place, () => bucket.client.send(request))
    for (const { Key: key = '', Size: sizeBytes = 0, ETag: etag = '' } of page.Contents ?? []) {
      if (!key.endsWith('/')) files.push({ place: { bucket: place.bucket, key }, sizeBytes, etag })
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (token && files.length < limit)
  return files.length > 0 ? files.slice(0, limit) : findFile(bucket, place)
}

async function findFile(bucket: Bucket, place: ExternalPlace): Promise<ExternalFile[]> {
  if (place.key === '') return []
  const request = new HeadObjectCommand({ Bucket: bucket.name, Key: place.key })
  return ask(bucket, place, async () => {
    try {
      const { ContentLength: sizeBytes = 0, ETag: etag = '' } = await bucket.client.send(request)
      return [{ place, sizeBytes, etag }]
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  })
}

async function openFile(bucket: Bucket, file: ExternalPlace, etag?: string): Promise<ExternalContent> {
  const request = new GetObjectCommand({ Bucket: bucket.name, Key: file.key })
  const { Body, ContentLength: sizeBytes = 0, ETag } = await ask(bucket, file, () => bucket.reader.send(request))
  const body = Body instanceof Readable ? Body : Readable.from([])
  if (etag !== undefined && ETag !== etag) {
    body.destroy()
    throw new TransientError(`${uriOf(file)} was replaced while it was being read`)
  }
  return { content: watched(bucket, body, ofSize(sizeBytes, uriOf(file))), sizeBytes }
}

/** Passes the bytes on, and fails at their end when they are fewer than announced. */
function ofSize(sizeBytes: number, uri: string): Transform {
  let seen = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length
      done(null, chunk)
    },
    flush(done) {
      done(seen === sizeBytes ? null : new TransientError(`${uri} was cut off after ${seen} of ${sizeBytes} bytes`))
    },
  })
}
