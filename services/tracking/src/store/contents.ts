import { TransientError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface Content {
  readonly sha256: string
  readonly sizeBytes: number
}

/**
 * Notes that these contents are about to be named, and locks their rows until the transaction ends, in one order. Whatever is noted here is safe from
 * collection: the collection looks at references only after it holds the same locks.
 * @throws TransientError where a content is just being removed: its bytes must be uploaded again
 */
export async function touchContents(tx: Sql, contents: readonly Content[], now: Date): Promise<void> {
  const unique = [...new Map(contents.map((content) => [content.sha256, content])).values()].sort((left, right) => (left.sha256 < right.sha256 ? -1 : 1))
  const rows = await tx.query<{ condemned: boolean }>(
    `insert into content (sha256, size_bytes, touched_at) select sha256, size_bytes, $3 from unnest($1::text[], $2::int8[]) as t (sha256, size_bytes)
      on conflict (sha256) do update set touched_at = greatest(content.touched_at, excluded.touched_at) returning condemned_at is not null as condemned`,
    [unique.map((content) => content.sha256), unique.map((content) => content.sizeBytes), now],
  )
  if (rows.some((row) => row.condemned)) throw new TransientError('an old, unused copy of this content is being removed at this very moment')
}

/**
 * Locks contents that something names at present and will name under another name as well.
 * @throws TransientError where one of them is gone: what named it was changed meanwhile
 */
export async function holdContents(tx: Sql, digests: readonly string[], now: Date): Promise<void> {
  const unique = [...new Set(digests)]
  const rows = await tx.query<{ sha256: string }>('select sha256 from content where sha256 = any($1) and condemned_at is null order by sha256 for update', [
    unique,
  ])
  if (rows.length < unique.length) throw new TransientError('an artifact was replaced while it was being read')
  await tx.query('update content set touched_at = greatest(touched_at, $2) where sha256 = any($1)', [unique, now])
}

/** Contents that nothing named since `before`, oldest first: candidates, to be looked at again under lock. Those condemned by a pass that died come as well. */
export async function findIdleContents(sql: Sql, before: Date, limit: number): Promise<string[]> {
  const rows = await sql.query<{ sha256: string }>(
    `select c.sha256 from content c where (c.touched_at < $1 or c.condemned_at is not null) and ${UNREFERENCED} order by c.touched_at limit $2`,
    [before, limit],
  )
  return rows.map((row) => row.sha256)
}

const UNREFERENCED = `not exists (select 1 from artifact a where a.sha256 = c.sha256) and not exists (select 1 from manifest m where m.sha256 = c.sha256)
  and not exists (select 1 from manifest_file f where f.sha256 = c.sha256) and not exists (select 1 from upload_part u where u.sha256 = c.sha256)`

/** Which of these have no row: uploads that never got that far. */
export async function findUnknownContents(sql: Sql, digests: readonly string[]): Promise<string[]> {
  const rows = await sql.query<{ sha256: string }>(
    'select t.sha256 from unnest($1::text[]) as t (sha256) where not exists (select 1 from content c where c.sha256 = t.sha256)',
    [digests],
  )
  return rows.map((row) => row.sha256)
}

/**
 * Condemns those of the candidates that are still idle and named by nothing, and returns them. First the locks, then (in a statement of its own, which sees
 * what was committed before the locks were given) the references.
 */
export async function condemnContents(tx: Sql, candidates: readonly string[], before: Date, now: Date): Promise<string[]> {
  const locked = await tx.query<{ sha256: string }>(
    'select sha256 from content where sha256 = any($1) and (touched_at < $2 or condemned_at is not null) order by sha256 for update',
    [candidates, before],
  )
  const rows = await tx.query<{ sha256: string }>(`update content c set condemned_at = $2 where c.sha256 = any($1) and ${UNREFERENCED} returning c.sha256`, [
    locked.map((row) => row.sha256),
    now,
  ])
  return rows.map((row) => row.sha256)
}

/** Condemns stored bytes that have no row; a row that an upload made meanwhile stays as it is. */
export async function condemnUnknown(tx: Sql, contents: readonly Content[], now: Date): Promise<string[]> {
  const rows = await tx.query<{ sha256: string }>(
    `insert into content (sha256, size_bytes, touched_at, condemned_at) select sha256, size_bytes, $3, $3 from unnest($1::text[], $2::int8[]) as t (sha256, size_bytes)
      on conflict (sha256) do nothing returning sha256`,
    [contents.map((content) => content.sha256), contents.map((content) => content.sizeBytes), now],
  )
  return rows.map((row) => row.sha256)
}

/** After the bytes are gone. */
export async function forgetCondemned(sql: Sql, digests: readonly string[]): Promise<void> {
  await sql.query('delete from content where sha256 = any($1) and condemned_at is not null', [digests])
}
