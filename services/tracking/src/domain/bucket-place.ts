import { cleanArtifactPath } from './artifact-path.ts'

/** A folder or an object in a bucket. `key` has no slash at either end; `''` is the whole bucket. */
export interface BucketPlace {
  readonly bucket: string
  readonly key: string
}

const URI = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s

/**
 * Reads `s3://<bucket>/<key>`; slashes at the end do not count. Null for anything else, and for a key that this server and the client that writes there would
 * not read alike: `..`, `.` or empty segments, and what `cleanArtifactPath` refuses; `?`, `#` and `;`, where a URI's path ends for one of them.
 */
export function parseBucketUri(uri: string): BucketPlace | null {
  const [, bucket, rest = ''] = URI.exec(uri) ?? []
  const key = rest.replace(/\/+$/, '')
  return bucket === undefined || /[?#;]/.test(key) || cleanArtifactPath(key) !== key ? null : { bucket, key }
}

export const bucketUri = ({ bucket, key }: BucketPlace): string => `s3://${bucket}${key === '' ? '' : `/${key}`}`

/** Reads a list separated by commas; null where one of them is none. */
export function parseBucketUris(text: string): BucketPlace[] | null {
  const places = text.split(',').flatMap((part) => (part.trim() === '' ? [] : [parseBucketUri(part.trim())]))
  const known = places.filter((place) => place !== null)
  return known.length === places.length ? known : null
}
