import { cleanArtifactPath } from '../domain/artifact-path.ts'
import { type ListedFile, listDirectory } from '../store/artifacts.ts'
import { type AwaitParts, awaitUploads } from '../uploads/take-in.ts'
import type { Place } from './place.ts'

export interface Listing {
  readonly files: readonly ListedFile[]
  /** Null on the last page. Only buckets have more than one. */
  readonly nextPageToken: string | null
}

/** What lies directly in a place, by name. Of a bucket, page by page, and without the names that no path here can have. */
export async function listPlace(deps: AwaitParts, place: Place, pageToken: string): Promise<Listing> {
  if (place.kind === 'store') {
    await awaitUploads(deps, place.path)
    return { files: await listDirectory(deps.database, place.path), nextPageToken: null }
  }
  const page = await place.reader.list(place.place, pageToken || undefined)
  const folders = page.folders.map((name) => ({ name, isDirectory: true, sizeBytes: null }))
  const files = page.files.map(({ name, sizeBytes }) => ({ name, isDirectory: false, sizeBytes }))
  const named = [...folders, ...files].filter(({ name }) => name !== '' && cleanArtifactPath(name) === name)
  return { files: named.sort((left, right) => (left.name < right.name ? -1 : 1)), nextPageToken: page.nextPageToken }
}
