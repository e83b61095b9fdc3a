import type { Readable } from 'node:stream'

export interface BlobInfo {
  readonly sha256: string
  readonly sizeBytes: number
}

/**
 * Content-addressed bytes: a blob is named by its SHA-256 and never changes. Every call throws inside a transaction.
 * Refusals: `STORAGE_FULL` (507) when the disk or bucket is full; faults of the store are `TransientError`.
 */
export interface Blobs {
  /** Hashes while streaming to a temporary name, then makes it durable under its digest. Nothing remains of an upload that failed. Writing the same bytes again is cheap and safe. */
  put(content: Readable | Uint8Array, options?: { maxBytes?: number; signal?: AbortSignal }): Promise<BlobInfo>
  /** Streams the bytes, or the inclusive byte range. @throws AppError RESOURCE_DOES_NOT_EXIST */
  open(sha256: string, range?: { start: number; end: number }): Promise<Readable>
  /** Reads the whole blob into memory. @throws AppError RESOURCE_DOES_NOT_EXIST, PAYLOAD_TOO_LARGE beyond `maxBytes` */
  read(sha256: string, maxBytes: number): Promise<Buffer>
  stat(sha256: string): Promise<BlobInfo | null>
  /** Removes a blob; a missing one is fine. */
  remove(sha256: string): Promise<void>
  /** Every blob with the time of its last write, for garbage collection. */
  list(): AsyncIterable<BlobInfo & { writtenAt: Date }>
}
