import type { DirectUploads } from '../blobs/direct-uploads.ts'
import { createS3Direct } from '../blobs/s3-direct.ts'
import type { Started } from '../component.ts'
import type { Log } from '../log.ts'
import { bucketOptions } from './open-blobs.ts'
import type { BlobsConfig } from './settings.ts'

/**
 * Uploads and downloads past this process. Null where clients cannot be sent to the store: it has an address of its own and none is known under which
 * clients reach it.
 */
export function openDirect(config: BlobsConfig, publicEndpoint: string | undefined, log: Log): Started<DirectUploads> | null {
  if (config.S3_ENDPOINT && !publicEndpoint) return null
  return createS3Direct({ ...bucketOptions(config, log), ...(publicEndpoint ? { publicEndpoint } : {}) })
}
