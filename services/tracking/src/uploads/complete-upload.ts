import { invalidPath } from '../artifacts/paths.ts'
import type { TrackingDeps, TrackingParts } from '../deps.ts'
import { invalid, missing } from '../refusals.ts'
import { deletePartsBut, deleteUpload, findUpload, listParts, lockUpload, setUploadState, type Upload } from '../store/uploads.ts'

export interface NamedPart {
  readonly partNumber: number
  readonly etag: string
}

interface Named {
  readonly uploadId: string
  /** The path that it was begun for. */
  readonly path: string
}

/** Puts the parts together and takes the file in; again is fine, and goes on where the last call was broken off. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createCompleteUpload = (deps: TrackingParts) =>
  async function completeUpload(request: Named & { parts: readonly NamedPart[] }): Promise<void> {
    const upload = await findUpload(deps.database, request.uploadId)
    if (upload?.kind !== 'parts') throw missing(`There is no upload with ID ${request.uploadId}: begin anew`)
    if (upload.path !== request.path) throw invalidPath()
    if (upload.state === 'done') return
    if (upload.state === 'open') await assemble(deps, upload, request.parts)
    await deps.takeIn(request.uploadId)
  }

async function assemble(deps: TrackingDeps, upload: Upload, named: readonly NamedPart[]): Promise<void> {
  const parts = named.toSorted((left, right) => left.partNumber - right.partNumber)
  refuseParts(parts, upload.partCount)
  if (upload.staged) await deps.directUploads?.completeParts(upload.uploadId, upload.storeUploadId ?? '', parts)
  await deps.database.transaction(async (tx) => {
    const present = await lockUpload(tx, upload.uploadId)
    if (present?.state !== 'open') return
    if (!upload.staged) {
      const sent = new Map((await listParts(tx, upload.uploadId)).map((part) => [part.partNumber, part.sha256]))
      const wrong = parts.find(({ partNumber, etag }) => sent.get(partNumber) !== etag.replaceAll('"', ''))
      if (wrong) throw invalid(`Part ${wrong.partNumber} was not sent, or other bytes were: send it again`)
      await deletePartsBut(
        tx,
        upload.uploadId,
        parts.map((part) => part.partNumber),
      )
    }
    await setUploadState(tx, upload.uploadId, 'assembled', deps.clock())
  })
}

function refuseParts(parts: readonly NamedPart[], count: number): void {
  if (parts.length === 0) throw invalid("Missing value for required parameter 'parts'. See the API docs for more information about request parameters.")
  if (new Set(parts.map((part) => part.partNumber)).size < parts.length) throw invalid('A part is named twice')
  const unknown = parts.find(({ partNumber }) => partNumber < 1 || partNumber > count)
  if (unknown) throw invalid(`This upload has the parts 1 to ${count}, and no part ${unknown.partNumber}`)
}

/** Gives an upload up; one that is not there is fine, and one that is complete stays. @throws AppError INVALID_PARAMETER_VALUE for another path */
export const createAbortUpload = (deps: TrackingDeps) =>
  async function abortUpload(request: Named): Promise<void> {
    const upload = await findUpload(deps.database, request.uploadId)
    if (upload?.kind !== 'parts') return
    if (upload.path !== request.path) throw invalidPath()
    if (upload.state === 'open') await dropUpload(deps, upload)
  }

/** The store first: a row without its bytes would be forgotten, bytes without a row would not be found again. */
export async function dropUpload(deps: TrackingDeps, upload: Upload): Promise<void> {
  if (upload.staged && upload.storeUploadId !== null && upload.state === 'open') await deps.directUploads?.abortParts(upload.uploadId, upload.storeUploadId)
  if (upload.staged) await deps.directUploads?.discard(upload.uploadId)
  await deleteUpload(deps.database, upload.uploadId)
}
