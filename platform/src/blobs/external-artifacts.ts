import type { Readable } from 'node:stream'

/** A folder or an object in a bucket. `key` has no slash at either end; `''` is the whole bucket. */
export interface ExternalPlace {
  readonly bucket: string
  readonly key: string
}

/** One page of what lies directly in a folder, by last segments. */
export interface ExternalPage {
  readonly folders: readonly string[]
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[]
  /** Null on the last page. */
  readonly nextPageToken: string | null
}

export interface ExternalFile {
  readonly place: ExternalPlace
  readonly sizeBytes: number
  /** Changes whenever the content does. */
  readonly etag: string
}

export interface ExternalContent {
  readonly content: Readable
  readonly sizeBytes: number
}

/**
 * Files that others write to a bucket with credentials of their own; this side only reads, and only below the roots that it was opened with. They may change
 * at any moment. Every call throws inside a transaction. Refusals: INVALID_PARAMETER_VALUE for a place below none of the roots, RESOURCE_DOES_NOT_EXIST for a
 * bucket or object that is not there; faults of the store are `TransientError`.
 */
export interface ExternalArtifacts {
  /** What lies directly in a folder, at most 1000 entries at a time; nothing for one that is missing. @throws AppError INVALID_PARAMETER_VALUE for a token that is none */
  list(folder: ExternalPlace, pageToken?: string): Promise<ExternalPage>
  /** All files below the place, or the file itself; at most `limit`, by key. */
  tree(place: ExternalPlace, limit: number): Promise<ExternalFile[]>
  /** Streams a file; with an `etag` that content or none. @throws TransientError where the content is another by now */
  open(file: ExternalPlace, etag?: string): Promise<ExternalContent>
}

export const isWithin = (place: ExternalPlace, root: ExternalPlace): boolean =>
  place.bucket === root.bucket && (root.key === '' || place.key === root.key || place.key.startsWith(`${root.key}/`))
