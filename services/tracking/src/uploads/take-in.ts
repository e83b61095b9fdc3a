import { Readable } from 'node:stream'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import { createUploadArtifact } from '../artifacts/upload-artifact.ts'
import type { TrackingDeps, TrackingParts } from '../deps.ts'
import { deletePartsBut, findUpload, listAwaited, listParts, noteTaken, setUploadState, type Upload } from '../store/uploads.ts'

interface Arrived {
  readonly content: Readable
  readonly etag: string | null
}

/**
 * What came past this service is known by its digest only once it has been read: it is streamed through here once, so that under a digest there is never
 * anything else. Calls for one upload share one pass. Nobody who waits can break it off, and what a process that dies leaves is found by the job.
 */
export function createTakeIn(deps: TrackingDeps): (uploadId: string) => Promise<void> {
  const running = new Map<string, Promise<void>>()
  const upload = createUploadArtifact(deps)
  const signal = new AbortController().signal

  async function pass(uploadId: string): Promise<void> {
    const found = await findUpload(deps.database, uploadId)
    if (!found || found.state === 'done') return
    const arrived = await openArrived(deps, found)
    if (arrived) {
      const { sizeBytes } = await upload({ path: found.path, content: arrived.content, announcedBytes: null, signal })
      deps.log.info('upload taken in', { path: found.path, sizeBytes })
    }
    await settle(deps, found, arrived)
  }

  return function takeIn(uploadId) {
    const present = running.get(uploadId)
    if (present !== undefined) return present
    const work = pass(uploadId).finally(() => running.delete(uploadId))
    running.set(uploadId, work)
    return work
  }
}

async function openArrived(deps: TrackingDeps, upload: Upload): Promise<Arrived | null> {
  if (!upload.staged) return { content: Readable.from(joined(deps, upload.uploadId)), etag: null }
  const arrived = (await deps.directUploads?.open(upload.uploadId, upload.etag)) ?? null
  if (arrived || upload.kind === 'object') return arrived
  throw new TransientError(`The store does not show the parts of upload ${upload.uploadId} put together`)
}

async function* joined(deps: TrackingDeps, uploadId: string): AsyncGenerator<Buffer> {
  for (const part of await listParts(deps.database, uploadId)) yield* await deps.blobs.open(part.sha256)
}

/** An object may be sent again until its address expires; parts are done with. */
async function settle(deps: TrackingDeps, upload: Upload, arrived: Arrived | null): Promise<void> {
  const now = deps.clock()
  if (upload.kind === 'object') return noteTaken(deps.database, upload.uploadId, arrived?.etag ?? null, now)
  await deps.database.transaction(async (tx) => {
    await setUploadState(tx, upload.uploadId, 'done', now)
    await deletePartsBut(tx, upload.uploadId, [])
  })
  if (upload.staged) await deps.directUploads?.discard(upload.uploadId)
}

const AT_ONCE = 50

export type AwaitParts = Pick<TrackingParts, 'database' | 'directUploads' | 'takeIn' | 'log'>

/**
 * Takes in what arrived in the store at the path or below it, before somebody looks there. What is refused, such as a file that is too large, is not shown.
 * @throws TransientError where the store is away
 */
export async function awaitUploads(parts: AwaitParts, path: string): Promise<void> {
  if (!parts.directUploads) return
  for (const upload of await listAwaited(parts.database, path, AT_ONCE)) {
    await parts.takeIn(upload.uploadId).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error
      parts.log.warn('an upload was refused', { path: upload.path, reason: error.message })
    })
  }
}
