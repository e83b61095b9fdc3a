import { S3ServiceException } from '@aws-sdk/client-s3'
import { AppError, messageOf, TransientError } from '../errors.ts'

/** What Amazon's, MinIO's, Ceph's and Versity's stores say when nothing more fits in. */
const FULL = new Set(['InsufficientStorage', 'QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'StorageFull', 'OutOfStorage'])
const PASSING = new Set(['SlowDown', 'RequestTimeout', 'RequestTimeTooSkewed', 'InternalError', 'ServiceUnavailable', 'OperationAborted', 'NoSuchBucket'])

/** HTTP status of a refusal; 0 where the store was not reached. */
export const statusOf = (error: unknown): number => (error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0)

export const isMissing = (error: unknown): boolean => error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound')

/** A fault of the store in words: STORAGE_FULL where nothing more can be written, `TransientError` where it may pass, anything else unchanged. */
export function explainS3Fault(where: string, error: unknown): unknown {
  if (error instanceof AppError || error instanceof TransientError) return error
  if (!(error instanceof S3ServiceException)) return new TransientError(`${where} does not answer: ${messageOf(error)}`, { cause: error })
  const status = statusOf(error)
  if (FULL.has(error.name) || status === 507) {
    return new AppError('STORAGE_FULL', `Cannot store in ${where}: it is full or its quota is used up (${error.name}). Free some space, then try again.`, {
      cause: error,
    })
  }
  if (status === 401 || status === 403) return new TransientError(`${where} refuses this user (${error.name})`, { cause: error })
  return status >= 500 || status === 429 || PASSING.has(error.name) ? new TransientError(`${where} failed (${error.name})`, { cause: error }) : error
}

/** Why a bucket cannot be used at all. */
export function explainUnusable(where: string, error: unknown): unknown {
  const status = statusOf(error)
  if (error instanceof S3ServiceException && error.name === 'NoSuchBucket') {
    return new AppError('RESOURCE_DOES_NOT_EXIST', `${where} does not exist: create the bucket, or name another`, { cause: error })
  }
  if (status >= 400 && status < 500 && status !== 429) {
    return new AppError('PERMISSION_DENIED', `${where} refuses: ${messageOf(error)} Check bucket, access key, secret, region and rights`, { cause: error })
  }
  return explainS3Fault(where, error)
}
