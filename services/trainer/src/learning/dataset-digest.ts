import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { DatasetListing } from './list-dataset.ts'

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** sha256 over one line `<relative path> <sha256 of the bytes>\n` per file, sorted by path: every byte of every file counts. */
export function digestOf(files: readonly { readonly id: string; readonly sha256: string }[]): string {
  const sorted = [...files].sort((a, b) => (a.id < b.id ? -1 : 1))
  return sha256(sorted.map((file) => `${file.id} ${file.sha256}\n`).join(''))
}

/** The digest of a data set's files as they lie on the disk now. */
export async function datasetDigest({ files }: DatasetListing): Promise<string> {
  const hashed: { id: string; sha256: string }[] = []
  for (const file of files) hashed.push({ id: file.id, sha256: sha256(await readFile(file.path)) })
  return digestOf(hashed)
}
