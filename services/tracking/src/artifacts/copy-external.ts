import type { ExternalArtifacts, ExternalFile } from '@millrace/platform/blobs/external-artifacts.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { TrackingDeps } from '../deps.ts'
import { bucketUri } from '../domain/bucket-place.ts'
import type { StoredFile } from '../store/artifacts.ts'
import { type Content, touchContents } from '../store/contents.ts'

/** Most files of which it is remembered what they held. */
const REMEMBERED = 10_000

/**
 * Streams files from a bucket into this service's blobs, one after another, and gives each its digest: what others do to the bucket from then on changes
 * nothing here. What was copied stays known for a while by its etag, so that a seal that is asked for again goes on where the last one was broken off.
 * @throws AppError PAYLOAD_TOO_LARGE; TransientError where the store is away or a file is replaced meanwhile
 */
export function createCopyExternal(deps: TrackingDeps) {
  const remembered = new Map<string, Content>()

  async function copyOne(reader: ExternalArtifacts, file: ExternalFile, signal: AbortSignal): Promise<Content> {
    const identity = JSON.stringify([bucketUri(file.place), file.etag, file.sizeBytes])
    const known = remembered.get(identity)
    remembered.delete(identity)
    const content = known && (await deps.blobs.stat(known.sha256)) ? known : await stream(reader, file, signal)
    await keep(deps, content)
    if (remembered.size >= REMEMBERED) remembered.clear()
    remembered.set(identity, content)
    return content
  }

  async function stream(reader: ExternalArtifacts, file: ExternalFile, signal: AbortSignal): Promise<Content> {
    const { content } = await reader.open(file.place, file.etag)
    const info = await deps.blobs.put(content, { maxBytes: deps.config.TRACKING_MAX_ARTIFACT_BYTES, signal })
    if (info.sizeBytes === file.sizeBytes) return info
    throw new TransientError(`${bucketUri(file.place)} has ${info.sizeBytes} bytes and was listed with ${file.sizeBytes}`)
  }

  return async function copyExternal(reader: ExternalArtifacts, files: readonly ExternalFile[], signal: AbortSignal): Promise<StoredFile[]> {
    refuseLarge(files, deps.config.TRACKING_MAX_ARTIFACT_BYTES)
    const copied: StoredFile[] = []
    for (const file of files) copied.push({ path: file.place.key, ...(await copyOne(reader, file, signal)) })
    return copied
  }
}

/** Young content is never collected; one that a collection was removing just then is noticed here. */
async function keep(deps: TrackingDeps, content: Content): Promise<void> {
  await deps.database.transaction((tx) => touchContents(tx, [content], deps.clock()))
  if (!(await deps.blobs.stat(content.sha256))) throw new TransientError('an unused copy of this content was removed while it was sealed')
}

function refuseLarge(files: readonly ExternalFile[], maxBytes: number): void {
  const large = files.find((file) => file.sizeBytes > maxBytes)
  if (!large) return
  const { place, sizeBytes } = large
  throw new AppError('PAYLOAD_TOO_LARGE', `${bucketUri(place)} has ${sizeBytes} bytes, at most ${maxBytes} are allowed (TRACKING_MAX_ARTIFACT_BYTES).`)
}
