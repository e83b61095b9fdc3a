import type { ExternalArtifacts, ExternalPlace } from '../blobs/external-artifacts.ts'
import { createS3External } from '../blobs/s3-external.ts'
import type { Started } from '../component.ts'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import { bucketOptions } from './open-blobs.ts'
import type { BlobsConfig } from './settings.ts'

/** Reads below the roots, in the store that the service's own bucket is in and as the same user. @throws AppError for a root that reaches into what the platform itself keeps */
export function openExternal(config: BlobsConfig, roots: readonly ExternalPlace[], log: Log): Started<ExternalArtifacts> {
  const { bucket: own, prefix = '', ...connection } = bucketOptions(config, log)
  for (const { bucket, key } of roots) {
    const overlaps = ['sha256/', 'tmp/'].some((part) => `${prefix}${part}`.startsWith(key && `${key}/`) || `${key}/`.startsWith(`${prefix}${part}`))
    if (bucket !== own || !overlaps) continue
    const refusal = `s3://${bucket}/${key} holds what this service itself keeps and removes (S3_BUCKET and S3_PREFIX): choose another bucket or another folder`
    throw new AppError('INVALID_PARAMETER_VALUE', refusal)
  }
  return createS3External({ ...connection, roots })
}
