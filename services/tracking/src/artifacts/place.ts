import { type ExternalArtifacts, isWithin } from '@millrace/platform/blobs/external-artifacts.ts'
import type { AppError } from '@millrace/platform/errors.ts'
import type { TrackingDeps } from '../deps.ts'
import { joinPath } from '../domain/artifact-path.ts'
import { proxiedPath } from '../domain/artifact-source.ts'
import { type BucketPlace, bucketUri, parseBucketUri } from '../domain/bucket-place.ts'
import { invalid } from '../refusals.ts'

/** Where artifacts lie: under a path of this store, or in a bucket that others write to. */
export type Place =
  | { readonly kind: 'store'; readonly path: string }
  | { readonly kind: 'bucket'; readonly place: BucketPlace; readonly reader: ExternalArtifacts }

type PlaceDeps = Pick<TrackingDeps, 'config' | 'externalArtifacts'>

const isAllowed = ({ config }: PlaceDeps, place: BucketPlace): boolean => config.TRACKING_ARTIFACT_ROOTS.some((root) => isWithin(place, root))

const unread = (root: string): AppError =>
  invalid(
    `The artifacts lie in another store (${root.split(':', 1)[0]}:), which this server does not read: use the client that wrote them, or have s3:// locations added to TRACKING_ARTIFACT_ROOTS`,
  )

/** Where the files of a run or logged model lie; looked at anew each time, since roots may have been taken away. @throws AppError INVALID_PARAMETER_VALUE for a root that is not read */
export function requirePlace(deps: PlaceDeps, root: string): Place {
  const path = proxiedPath(root)
  if (path) return { kind: 'store', path }
  const place = parseBucketUri(root)
  if (!place) throw unread(root)
  return requireBucket(deps, place)
}

/** @throws AppError INVALID_PARAMETER_VALUE */
export function requireBucket(deps: PlaceDeps, place: BucketPlace): Place {
  if (!deps.externalArtifacts || !isAllowed(deps, place)) throw unread('s3:')
  return { kind: 'bucket', place, reader: deps.externalArtifacts }
}

export const below = (place: Place, path: string): Place =>
  place.kind === 'store' ? { ...place, path: joinPath(place.path, path) } : { ...place, place: inFolder(place.place, path) }

export const inFolder = ({ bucket, key }: BucketPlace, path: string): BucketPlace => ({ bucket, key: joinPath(key, path) })

export const uriOfPlace = (place: Place): string => (place.kind === 'store' ? `mlflow-artifacts:/${place.path}` : bucketUri(place.place))

const LONGEST_KEY = 800

/** Why an experiment may not keep its artifacts in this bucket; null where it may, and for any other kind of location. */
export function refuseExternalLocation(deps: PlaceDeps, location: string): string | null {
  if (!/^s3:/i.test(location)) return null
  const refused = `Invalid artifact location '${location}'`
  if (!deps.externalArtifacts) {
    return `${refused}: this server keeps artifacts itself and reads no bucket. Leave artifact_location out, or have the tracking service run with an S3 store and the location in TRACKING_ARTIFACT_ROOTS`
  }
  const place = parseBucketUri(location)
  if (!place || place.key.length > LONGEST_KEY) {
    return `${refused}: expected s3://<bucket>/<folder>, at most ${LONGEST_KEY} characters without '..', '//', '?', '#', ';', backslashes or control characters`
  }
  if (isAllowed(deps, place)) return null
  const roots = deps.config.TRACKING_ARTIFACT_ROOTS.map(bucketUri)
  return `${refused}: it lies under none of the allowed locations (${roots.join(', ') || 'none is configured'}). Choose one under these, have it added to TRACKING_ARTIFACT_ROOTS, or leave artifact_location out`
}
