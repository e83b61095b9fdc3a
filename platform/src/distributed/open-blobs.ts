import type { Blobs } from '../blobs/blobs.ts'
import { createS3Blobs, type S3BlobsOptions } from '../blobs/s3.ts'
import type { Started } from '../component.ts'
import { AppError, messageOf, TransientError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { BlobsConfig } from './settings.ts'

/**
 * Opens the bucket. A store that does not answer is asked again with every call: a pod that starts meanwhile serves what lies on its own disk.
 * @throws AppError where the store answers that the bucket is not there or not ours
 */
export async function openBlobs(config: BlobsConfig, log: Log): Promise<Started<Blobs>> {
  const options = bucketOptions(config, log)
  let opening: Promise<Started<Blobs>> | null = null
  const opened = (): Promise<Started<Blobs>> => {
    opening ??= createS3Blobs(options).catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }
  await opened().catch((error: unknown) => {
    if (!(error instanceof TransientError)) throw error
    log.warn('The blob store does not answer; it is asked again when it is needed', { reason: messageOf(error) })
  })
  return { value: forwardTo(async () => (await opened()).value), stop: async () => opening?.then((store) => store.stop()) }
}

const forwardTo = (store: () => Promise<Blobs>): Blobs => ({
  put: async (content, options) => (await store()).put(content, options),
  open: async (sha256, range) => (await store()).open(sha256, range),
  read: async (sha256, maxBytes) => (await store()).read(sha256, maxBytes),
  stat: async (sha256) => (await store()).stat(sha256),
  remove: async (sha256) => (await store()).remove(sha256),
  async *list() {
    yield* (await store()).list()
  },
})

/** @throws AppError where one of the two keys is missing */
export function bucketOptions(config: BlobsConfig, log: Log): S3BlobsOptions {
  const { S3_BUCKET: bucket, S3_PREFIX: prefix, S3_ENDPOINT: endpoint, AWS_REGION: region } = config
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = config
  if (Boolean(accessKeyId) !== Boolean(secretAccessKey)) {
    throw new AppError('INVALID_PARAMETER_VALUE', 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both, or neither')
  }
  const credentials = accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}
  return { bucket, prefix, region, log: log.child({ part: 'blobs' }), ...(endpoint ? { endpoint } : {}), ...credentials }
}
