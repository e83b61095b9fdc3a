import type { Readable } from 'node:stream'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrackingDeps } from '../deps.ts'
import { invalid } from '../refusals.ts'
import { deleteArtifacts, findFileAbove, isDirectory, type StoredFile, upsertArtifact } from '../store/artifacts.ts'
import { touchContents } from '../store/contents.ts'
import { requireFilePath } from './paths.ts'

export interface Upload {
  /** As the caller wrote it, decoded once. */
  readonly path: string
  readonly content: Readable
  /** Null where the caller does not say. */
  readonly announcedBytes: number | null
  readonly signal: AbortSignal
  /** Part of the transaction that gives the content its path; where it answers false, the path stays as it is. */
  readonly claim?: (tx: Sql) => Promise<boolean>
}

/**
 * Hashes the content while it streams into the store, then names it. What was under the path before stays as it is for whoever sealed it.
 * @throws AppError INVALID_PARAMETER_VALUE, PAYLOAD_TOO_LARGE; TransientError where the content was collected as unused in between: send it again
 */
export const createUploadArtifact = (deps: TrackingDeps) =>
  async function uploadArtifact(upload: Upload): Promise<StoredFile> {
    const path = requireFilePath(upload.path)
    const maxBytes = deps.config.TRACKING_MAX_ARTIFACT_BYTES
    if ((upload.announcedBytes ?? 0) > maxBytes) {
      throw new AppError('PAYLOAD_TOO_LARGE', `The artifact has ${upload.announcedBytes} bytes, at most ${maxBytes} are allowed (TRACKING_MAX_ARTIFACT_BYTES).`)
    }
    await refuseMixedPath(deps, path)
    const info = await deps.blobs.put(upload.content, { maxBytes, signal: upload.signal })
    const file = { path, ...info }
    const now = deps.clock()
    await deps.database.transaction(async (tx) => {
      if (upload.claim && !(await upload.claim(tx))) return
      await touchContents(tx, [info], now)
      await upsertArtifact(tx, file, now)
    })
    await confirmStored(deps, file)
    return file
  }

/** A path is a file or a directory, never both: clients write them to a disk. */
export async function refuseMixedPath(deps: Pick<TrackingDeps, 'database'>, path: string): Promise<void> {
  if (await isDirectory(deps.database, path)) throw invalid(`'${path}' is a directory: choose another name for the file`)
  const above = await findFileAbove(deps.database, path)
  if (above !== null) throw invalid(`'${above}' is a file: nothing can be stored below it`)
}

/** From the commit on nobody collects the content, so that one look settles whether a collection that had begun before it got there first. */
async function confirmStored(deps: TrackingDeps, file: StoredFile): Promise<void> {
  if (await deps.blobs.stat(file.sha256)) return
  await deleteArtifacts(deps.database, file.path)
  throw new TransientError('an unused copy of this content was removed while it was uploaded')
}
