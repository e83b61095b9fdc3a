import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface StoredFile {
  readonly path: string
  readonly sha256: string
  readonly sizeBytes: number
}

export interface ListedFile {
  /** The last segment. */
  readonly name: string
  readonly isDirectory: boolean
  /** Null for directories. */
  readonly sizeBytes: number | null
}

/** The first text after all that begin with `prefix` + `/`: `0` is the character after the slash. */
const range = (directory: string): [string, string] => [`${directory}/`, `${directory}0`]

export async function findArtifact(sql: Sql, path: string): Promise<StoredFile | null> {
  const [row] = await sql.query<{ sha256: string; size_bytes: number }>('select sha256, size_bytes from artifact where path = $1', [path])
  return row ? { path, sha256: row.sha256, sizeBytes: row.size_bytes } : null
}

/** Whether anything lies below the path. */
export async function isDirectory(sql: Sql, path: string): Promise<boolean> {
  const rows = await sql.query('select 1 from artifact where path > $1 and path < $2 limit 1', range(path))
  return rows.length > 0
}

/** A file that stands where the path needs a directory, or null. */
export async function findFileAbove(sql: Sql, path: string): Promise<string | null> {
  const segments = path.split('/')
  const above = segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'))
  const [row] = await sql.query<{ path: string }>('select path from artifact where path = any($1) limit 1', [above])
  return row?.path ?? null
}

export async function upsertArtifact(tx: Sql, file: StoredFile, now: Date): Promise<void> {
  await tx.query(
    `insert into artifact (path, sha256, size_bytes, written_at) values ($1, $2, $3, $4)
      on conflict (path) do update set sha256 = excluded.sha256, size_bytes = excluded.size_bytes, written_at = excluded.written_at`,
    [file.path, file.sha256, file.sizeBytes, now],
  )
}

/** Removes the file, or everything below the path. */
export async function deleteArtifacts(tx: Sql, path: string): Promise<void> {
  await tx.query('delete from artifact where path = $1 or (path > $2 and path < $3)', [path, ...range(path)])
}

/** What lies directly in a directory (`''` is the root), by name; nothing for one that is missing. */
export async function listDirectory(sql: Sql, directory: string): Promise<ListedFile[]> {
  const below = directory === '' ? ['', '\u{10ffff}'] : range(directory)
  const rows = await sql.query<{ name: string; is_directory: boolean; size_bytes: number }>(
    `select split_part(rest, '/', 1) as name, bool_or(position('/' in rest) > 0) as is_directory, max(size_bytes) as size_bytes
      from (select substr(path, $3) as rest, size_bytes from artifact where path > $1 and path < $2) as below group by 1 order by split_part(rest, '/', 1) collate "C"`,
    [...below, directory === '' ? 1 : [...directory].length + 2],
  )
  return rows.map((row) => ({ name: row.name, isDirectory: row.is_directory, sizeBytes: row.is_directory ? null : row.size_bytes }))
}

interface FileRow {
  path: string
  sha256: string
  size_bytes: number
}

/** The file itself, or all files below the path, at most `limit`. */
export async function listTree(sql: Sql, path: string, limit: number): Promise<StoredFile[]> {
  const rows = await sql.query<FileRow>('select path, sha256, size_bytes from artifact where path = $1 or (path > $2 and path < $3) order by path limit $4', [
    path,
    ...range(path),
    limit,
  ])
  return rows.map((row) => ({ path: row.path, sha256: row.sha256, sizeBytes: row.size_bytes }))
}

/** Files below the directory that have one of these names, by path. */
export async function findNamedFiles(sql: Sql, directory: string, names: readonly string[], limit: number): Promise<StoredFile[]> {
  const rows = await sql.query<FileRow>(
    `select path, sha256, size_bytes from artifact where path > $1 and path < $2 and regexp_replace(path, '^.*/', '') = any($3) order by path limit $4`,
    [...range(directory), names, limit],
  )
  return rows.map((row) => ({ path: row.path, sha256: row.sha256, sizeBytes: row.size_bytes }))
}
