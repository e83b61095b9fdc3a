import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Content } from './contents.ts'

/** `parts` are put together when they are complete; an `object` counts whenever it is sent. */
export type UploadKind = 'parts' | 'object'
export type UploadState = 'open' | 'assembled' | 'done'

export interface Upload {
  readonly uploadId: string
  readonly path: string
  readonly kind: UploadKind
  /** Whether the bytes go straight to the store. */
  readonly staged: boolean
  /** The store's own name of an upload in parts. */
  readonly storeUploadId: string | null
  readonly partCount: number
  readonly tokenSha256: string
  readonly state: UploadState
  /** Of the staged bytes that were taken in last. */
  readonly etag: string | null
  readonly expiresAt: Date
}

export interface UploadedPart extends Content {
  readonly partNumber: number
}

interface UploadRow {
  upload_id: string
  path: string
  kind: UploadKind
  staged: boolean
  store_upload_id: string | null
  part_count: number
  token_sha256: string
  state: UploadState
  etag: string | null
  expires_at: Date
}

const COLUMNS = 'upload_id, path, kind, staged, store_upload_id, part_count, token_sha256, state, etag, expires_at'

const toUpload = (row: UploadRow): Upload => ({
  uploadId: row.upload_id,
  path: row.path,
  kind: row.kind,
  staged: row.staged,
  storeUploadId: row.store_upload_id,
  partCount: row.part_count,
  tokenSha256: row.token_sha256,
  state: row.state,
  etag: row.etag,
  expiresAt: row.expires_at,
})

export async function insertUpload(sql: Sql, upload: Omit<Upload, 'state' | 'etag'>, now: Date): Promise<void> {
  await sql.query(
    `insert into upload (upload_id, path, kind, staged, store_upload_id, part_count, token_sha256, touched_at, expires_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [upload.uploadId, upload.path, upload.kind, upload.staged, upload.storeUploadId, upload.partCount, upload.tokenSha256, now, upload.expiresAt],
  )
}

export async function findUpload(sql: Sql, uploadId: string): Promise<Upload | null> {
  const [row] = await sql.query<UploadRow>(`select ${COLUMNS} from upload where upload_id = $1`, [uploadId])
  return row ? toUpload(row) : null
}

/** Held until the transaction ends. */
export async function lockUpload(tx: Sql, uploadId: string): Promise<Upload | null> {
  const [row] = await tx.query<UploadRow>(`select ${COLUMNS} from upload where upload_id = $1 for update`, [uploadId])
  return row ? toUpload(row) : null
}

export async function setUploadState(sql: Sql, uploadId: string, state: UploadState, now: Date): Promise<void> {
  await sql.query('update upload set state = $2, touched_at = $3 where upload_id = $1', [uploadId, state, now])
}

/** Notes which staged bytes were taken in. */
export async function noteTaken(sql: Sql, uploadId: string, etag: string | null, now: Date): Promise<void> {
  await sql.query('update upload set etag = $2, touched_at = $3 where upload_id = $1', [uploadId, etag, now])
}

/** Notes that there was nothing new. */
export async function noteLook(sql: Sql, uploadId: string, now: Date): Promise<void> {
  await sql.query('update upload set touched_at = $2 where upload_id = $1', [uploadId, now])
}

export async function deleteUpload(sql: Sql, uploadId: string): Promise<void> {
  await sql.query('delete from upload where upload_id = $1', [uploadId])
}

/** A part that is sent again takes the place of the first. */
export async function upsertPart(tx: Sql, uploadId: string, part: UploadedPart): Promise<void> {
  await tx.query(
    `insert into upload_part (upload_id, part_number, sha256, size_bytes) values ($1, $2, $3, $4)
      on conflict (upload_id, part_number) do update set sha256 = excluded.sha256, size_bytes = excluded.size_bytes`,
    [uploadId, part.partNumber, part.sha256, part.sizeBytes],
  )
}

export async function listParts(sql: Sql, uploadId: string): Promise<UploadedPart[]> {
  const rows = await sql.query<{ part_number: number; sha256: string; size_bytes: number }>(
    'select part_number, sha256, size_bytes from upload_part where upload_id = $1 order by part_number',
    [uploadId],
  )
  return rows.map((row) => ({ partNumber: row.part_number, sha256: row.sha256, sizeBytes: row.size_bytes }))
}

export async function deletePartsBut(tx: Sql, uploadId: string, partNumbers: readonly number[]): Promise<void> {
  await tx.query('delete from upload_part where upload_id = $1 and part_number <> all($2::int[])', [uploadId, partNumbers])
}

/** Objects that may have arrived in the store, at the path or below it (`''` is everywhere), those first that were not looked at for longest. */
export async function listAwaited(sql: Sql, path: string, limit: number): Promise<Upload[]> {
  const rows = await sql.query<UploadRow>(
    `select ${COLUMNS} from upload where kind = 'object' and staged and state = 'open' and ($1 = '' or path = $1 or (path > $2 and path < $3))
      order by touched_at limit $4`,
    [path, `${path}/`, `${path}0`, limit],
  )
  return rows.map(toUpload)
}

/** Complete in the store, and not taken in for a while: whoever was at it has died. */
export async function listStuck(sql: Sql, before: Date, limit: number): Promise<Upload[]> {
  const rows = await sql.query<UploadRow>(`select ${COLUMNS} from upload where state = 'assembled' and touched_at < $1 order by touched_at limit $2`, [
    before,
    limit,
  ])
  return rows.map(toUpload)
}

export async function listExpired(sql: Sql, before: Date, limit: number): Promise<Upload[]> {
  const rows = await sql.query<UploadRow>(`select ${COLUMNS} from upload where state <> 'assembled' and expires_at < $1 order by expires_at limit $2`, [
    before,
    limit,
  ])
  return rows.map(toUpload)
}
