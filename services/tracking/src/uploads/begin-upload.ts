import { refuseMixedPath } from '../artifacts/upload-artifact.ts'
import type { TrackingDeps } from '../deps.ts'
import { invalid } from '../refusals.ts'
import { insertUpload } from '../store/uploads.ts'
import { digestOf, newToken, TOKEN_HEADER } from './token.ts'

/** Where bytes go by PUT, and the headers that belong to it. */
export interface UploadAddress {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface BegunParts {
  readonly uploadId: string
  /** One per part, in order. */
  readonly parts: readonly UploadAddress[]
}

const MAX_PARTS = 10_000
const PARTS_SECONDS = 12 * 3600
const MAX_SECONDS = 7 * 86_400

const after = (now: Date, seconds: number): Date => new Date(now.getTime() + seconds * 1000)

/** Begins an upload in parts: straight to the store where clients reach it, otherwise through this service. @throws AppError INVALID_PARAMETER_VALUE */
export const createBeginParts = (deps: TrackingDeps) =>
  async function beginParts(request: { path: string; count: number; base: string }): Promise<BegunParts> {
    const { path, count, base } = request
    if (count < 1 || count > MAX_PARTS) throw invalid(`Invalid value ${count} for parameter 'num_parts' supplied. It must be between 1 and ${MAX_PARTS}`)
    await refuseMixedPath(deps, path)
    const uploadId = deps.newId().replaceAll('-', '')
    const token = newToken()
    const staged = (await deps.directUploads?.beginParts(uploadId, count, PARTS_SECONDS)) ?? null
    const now = deps.clock()
    const tokenSha256 = digestOf(token)
    const fields = { uploadId, path, kind: 'parts' as const, staged: staged !== null, storeUploadId: staged?.uploadId ?? null }
    await insertUpload(deps.database, { ...fields, partCount: count, tokenSha256, expiresAt: after(now, PARTS_SECONDS) }, now)
    if (staged) return { uploadId, parts: staged.urls.map((url) => ({ url, headers: {} })) }
    const own = Array.from({ length: count }, (_, index) => ({ url: addressOf(base, uploadId, index + 1), headers: { [TOKEN_HEADER]: token } }))
    return { uploadId, parts: own }
  }

const addressOf = (base: string, uploadId: string, part: number): string => `${base}/api/2.0/mlflow-artifacts/uploads/${uploadId}/${part}`

/** An address under which one file is sent later, by whoever has it. @throws AppError INVALID_PARAMETER_VALUE */
export const createBeginObject = (deps: TrackingDeps) =>
  async function beginObject(request: { path: string; expiresSeconds: number; base: string }): Promise<UploadAddress> {
    const { path, expiresSeconds, base } = request
    checkExpiration(expiresSeconds)
    await refuseMixedPath(deps, path)
    const uploadId = deps.newId().replaceAll('-', '')
    const token = newToken()
    const url = (await deps.directUploads?.presignWrite(uploadId, expiresSeconds)) ?? null
    const now = deps.clock()
    const tokenSha256 = digestOf(token)
    const fields = { uploadId, path, kind: 'object' as const, staged: url !== null, storeUploadId: null, partCount: 1 }
    await insertUpload(deps.database, { ...fields, tokenSha256, expiresAt: after(now, expiresSeconds) }, now)
    return url === null ? { url: addressOf(base, uploadId, 1), headers: { [TOKEN_HEADER]: token } } : { url, headers: {} }
  }

/** Stores refuse a longer life, and only when the address is used. @throws AppError INVALID_PARAMETER_VALUE */
export function checkExpiration(seconds: number): void {
  if (seconds < 1 || seconds > MAX_SECONDS) throw invalid(`expiration must be between 1 and ${MAX_SECONDS} seconds (got ${seconds}).`)
}
