import type { Readable } from 'node:stream'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import { createUploadArtifact } from '../artifacts/upload-artifact.ts'
import type { TrackingDeps } from '../deps.ts'
import { invalid } from '../refusals.ts'
import { touchContents } from '../store/contents.ts'
import { findUpload, lockUpload, type Upload, upsertPart } from '../store/uploads.ts'
import { isToken } from './token.ts'

export interface SentPart {
  readonly uploadId: string
  readonly partNumber: number
  readonly token: string
  readonly content: Readable
  readonly announcedBytes: number | null
  readonly signal: AbortSignal
}

const notHere = (): AppError =>
  new AppError('RESOURCE_DOES_NOT_EXIST', 'There is no upload that takes this part: it is complete, was given up or has expired, or the token is another one')

/** Takes the bytes of a part, or of an object, from whoever holds the upload's token. Returns their digest, which stands for an ETag. @throws AppError */
export const createReceivePart = (deps: TrackingDeps) => {
  const upload = createUploadArtifact(deps)
  return async function receivePart(sent: SentPart): Promise<string> {
    const open = await requireOpen(deps, sent)
    if (open.kind === 'object') {
      const { content, announcedBytes, signal } = sent
      return (await upload({ path: open.path, content, announcedBytes, signal })).sha256
    }
    return keepPart(deps, sent)
  }
}

async function requireOpen(deps: TrackingDeps, sent: SentPart): Promise<Upload> {
  const upload = await findUpload(deps.database, sent.uploadId)
  if (!upload || !isToken(sent.token, upload.tokenSha256) || upload.staged || upload.state !== 'open' || upload.expiresAt < deps.clock()) throw notHere()
  if (sent.partNumber >= 1 && sent.partNumber <= upload.partCount) return upload
  throw invalid(`This upload has the parts 1 to ${upload.partCount}, and no part ${sent.partNumber}`)
}

async function keepPart(deps: TrackingDeps, { uploadId, partNumber, content, signal }: SentPart): Promise<string> {
  const info = await deps.blobs.put(content, { maxBytes: deps.config.TRACKING_MAX_ARTIFACT_BYTES, signal })
  await deps.database.transaction(async (tx) => {
    if ((await lockUpload(tx, uploadId))?.state !== 'open') throw notHere()
    await touchContents(tx, [info], deps.clock())
    await upsertPart(tx, uploadId, { partNumber, ...info })
  })
  if (await deps.blobs.stat(info.sha256)) return info.sha256
  throw new TransientError('an unused copy of this content was removed while the part was sent')
}
