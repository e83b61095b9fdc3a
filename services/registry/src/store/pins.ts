import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface PinRelease {
  readonly id: number
  readonly holder: string
  readonly source: string
  /** Null where the seal was asked for but its answer never came back. */
  readonly sha256: string | null
  readonly attempts: number
}

/** Records that a holder lets go of its sealed content; a job tells tracking. */
export async function insertPinRelease(tx: Sql, release: { holder: string; source: string; sha256: string | null }, now: Date): Promise<void> {
  await tx.query('insert into pin_release (holder, source, sha256, attempt_at) values ($1, $2, $3, $4)', [release.holder, release.source, release.sha256, now])
}

export async function dueReleases(sql: Sql, now: Date, limit: number): Promise<PinRelease[]> {
  return sql.query<PinRelease>('select id, holder, source, sha256, attempts from pin_release where attempt_at <= $1 order by attempt_at limit $2', [now, limit])
}

export async function removePinRelease(sql: Sql, id: number): Promise<void> {
  await sql.query('delete from pin_release where id = $1', [id])
}

export async function postponeRelease(sql: Sql, id: number, attemptAt: Date): Promise<void> {
  await sql.query('update pin_release set attempts = attempts + 1, attempt_at = $2 where id = $1', [id, attemptAt])
}
