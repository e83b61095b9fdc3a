import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { StoredFile } from './artifacts.ts'
import type { Content } from './contents.ts'

/** Keeps a sealed list and its files. Contents must have been touched in this transaction before. */
export async function saveManifest(tx: Sql, manifest: Content, files: readonly StoredFile[], now: Date): Promise<void> {
  await tx.query(
    `insert into manifest (sha256, size_bytes, touched_at) values ($1, $2, $3)
      on conflict (sha256) do update set touched_at = greatest(manifest.touched_at, excluded.touched_at)`,
    [manifest.sha256, manifest.sizeBytes, now],
  )
  await tx.query(
    `insert into manifest_file (manifest_sha256, path, sha256, size_bytes) select $1, * from unnest($2::text[], $3::text[], $4::int8[]) on conflict do nothing`,
    [manifest.sha256, files.map((file) => file.path), files.map((file) => file.sha256), files.map((file) => file.sizeBytes)],
  )
}

export async function pinManifest(tx: Sql, sha256: string, holder: string, now: Date): Promise<void> {
  await tx.query('insert into pin (manifest_sha256, holder, pinned_at) values ($1, $2, $3) on conflict do nothing', [sha256, holder, now])
}

/** Releasing what is not held is fine. The time of the release begins the manifest's grace. */
export async function releasePin(tx: Sql, sha256: string, holder: string, now: Date): Promise<void> {
  const rows = await tx.query('delete from pin where manifest_sha256 = $1 and holder = $2 returning holder', [sha256, holder])
  if (rows.length > 0) await tx.query('update manifest set touched_at = greatest(touched_at, $2) where sha256 = $1', [sha256, now])
}

/** Forgets lists that nobody has pinned since `before`; first the locks, then the look at the pins. Returns how many. */
export async function deleteUnpinnedManifests(tx: Sql, before: Date, limit: number): Promise<number> {
  const locked = await tx.query<{ sha256: string }>(
    `select m.sha256 from manifest m where m.touched_at < $1 and not exists (select 1 from pin p where p.manifest_sha256 = m.sha256)
      order by m.sha256 limit $2 for update skip locked`,
    [before, limit],
  )
  const rows = await tx.query(
    'delete from manifest m where m.sha256 = any($1) and not exists (select 1 from pin p where p.manifest_sha256 = m.sha256) returning m.sha256',
    [locked.map((row) => row.sha256)],
  )
  return rows.length
}
