import { Readable } from 'node:stream'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { createUploadArtifact } from '../artifacts/upload-artifact.ts'
import type { TrackingDeps, TrackingParts } from '../deps.ts'
import {
  deletePartsBut,
  findUpload,
  listAwaited,
  listParts,
  lockUpload,
  noteLook,
  noteTaken,
  setUploadState,
  type Upload,
  type UploadedPart,
} from '../store/uploads.ts'

interface Arrived {
  readonly content: Readable
  readonly etag: string | null
}

/**
 * What came past this service is known by its digest only once it has been read: it is streamed through here once, so that under a digest there is never
 * anything else. Calls for one upload share one pass, and of passes in two processes one gives the file its path. Nobody who waits can break it off, and what a
 * process that dies leaves is found by the job.
 */
export function createTakeIn(deps: TrackingDeps): (uploadId: string) => Promise<void> {
  const running = new Map<string, Promise<void>>()
  const upload = createUploadArtifact(deps)
  const signal = new AbortController().signal

  async function pass(uploadId: string): Promise<void> {
    const found = await findUpload(deps.database, uploadId)
    if (!found || found.state === 'done') return
    const arrived = await openArrived(deps, found)
    if (!arrived) return noteLook(deps.database, uploadId, deps.clock())
    let claimed = false
    const claim = async (tx: Sql): Promise<boolean> => {
      claimed = await claimUpload(tx, found, arrived.etag, deps.clock())
      return claimed
    }
    try {
      const { sizeBytes } = await upload({ path: found.path, content: arrived.content, announcedBytes: null, signal, claim })
      deps.log.info('upload taken in', { path: found.path, sizeBytes })
    } catch (error) {
      if (claimed) await unclaim(deps, found)
      throw error
    }
    if (claimed) await clearUp(deps, found)
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
  if (!upload.staged) return { content: Readable.from(joined(deps, await requireParts(deps, upload.uploadId))), etag: null }
  const arrived = (await deps.directUploads?.open(upload.uploadId, upload.etag)) ?? null
  if (arrived || upload.kind === 'object') return arrived
  throw new TransientError(`The store does not show the parts of upload ${upload.uploadId} put together`)
}

/** An upload that is complete has parts until its file has its path. */
async function requireParts(deps: TrackingDeps, uploadId: string): Promise<UploadedPart[]> {
  const parts = await listParts(deps.database, uploadId)
  if (parts.length > 0) return parts
  throw new TransientError(`The parts of upload ${uploadId} were just taken in elsewhere`)
}

async function* joined(deps: TrackingDeps, parts: readonly UploadedPart[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield* await deps.blobs.open(part.sha256)
}

/** Whether this pass is the one that counts. An object may be sent again until its address expires; parts are done with. */
async function claimUpload(tx: Sql, upload: Upload, etag: string | null, now: Date): Promise<boolean> {
  const present = await lockUpload(tx, upload.uploadId)
  if (present?.state !== upload.state || present.etag !== upload.etag) return false
  if (upload.kind === 'object') await noteTaken(tx, upload.uploadId, etag, now)
  else await setUploadState(tx, upload.uploadId, 'done', now)
  return true
}

/** After the claim nothing fails but where the bytes themselves are gone again: then the upload is as it was before. */
async function unclaim(deps: TrackingDeps, upload: Upload): Promise<void> {
  if (upload.kind === 'object') await noteTaken(deps.database, upload.uploadId, upload.etag, deps.clock())
  else await setUploadState(deps.database, upload.uploadId, upload.state, deps.clock())
}

async function clearUp(deps: TrackingDeps, upload: Upload): Promise<void> {
  if (upload.kind === 'object') return
  await deletePartsBut(deps.database, upload.uploadId, [])
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
