import type { Readable } from 'node:stream'

export interface StagedParts {
  /** The store's own name of the upload. */
  readonly uploadId: string
  /** One address per part, in order; each takes the bytes of its part by PUT and answers with their ETag. */
  readonly urls: readonly string[]
}

export interface StagedPart {
  readonly partNumber: number
  readonly etag: string
}

export interface StagedContent {
  readonly content: Readable
  /** Changes whenever the content does. */
  readonly etag: string
}

/**
 * Bytes that clients send to the store, or fetch from it, past this process, by addresses that are signed here. What is sent lies under a staging name until
 * it is read back and taken in: nothing of it is known by its digest before. Every call throws inside a transaction; faults of the store are `TransientError`.
 */
export interface DirectUploads {
  /** Begins an object in parts. */
  beginParts(name: string, count: number, expiresSeconds: number): Promise<StagedParts>
  /** Puts the parts together; again is fine. @throws AppError INVALID_PARAMETER_VALUE where a part is missing or another one than named */
  completeParts(name: string, uploadId: string, parts: readonly StagedPart[]): Promise<void>
  /** One that is not there any more is fine. */
  abortParts(name: string, uploadId: string): Promise<void>
  /** An address that takes the bytes of one object by PUT, as often as they are sent until it expires. */
  presignWrite(name: string, expiresSeconds: number): Promise<string>
  /** What lies under a staging name by now; null for nothing, and for what has the ETag `unlike`: it was read before. */
  open(name: string, unlike?: string | null): Promise<StagedContent | null>
  /** Removes what lies there; nothing is fine. */
  discard(name: string): Promise<void>
  /** An address that a blob is read from, whole or in ranges, until it expires. */
  presignRead(sha256: string, options: { expiresSeconds: number; fileName: string }): Promise<string>
}
