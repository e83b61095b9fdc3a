import type { Sql } from '@millrace/platform/sql/sql.ts'

/** Who did what, and what came of it. No bodies: they may hold secrets. */
export interface AuditEntry {
  readonly at: Date
  readonly requestId: string
  readonly user: string
  readonly role: string
  readonly address: string
  readonly method: string
  readonly path: string
  readonly status: number
}

export interface StoredAuditEntry extends AuditEntry {
  readonly position: number
}

const COLUMNS = 'position, at, request_id as "requestId", user_name as "user", role, address, method, path, status'

export async function insertEntries(sql: Sql, entries: readonly AuditEntry[]): Promise<void> {
  const of = <T>(read: (entry: AuditEntry) => T): T[] => entries.map(read)
  await sql.query(
    `insert into audit_entry (at, request_id, user_name, role, address, method, path, status)
     select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[])`,
    [
      of(({ at }) => at.toISOString()),
      of(({ requestId }) => requestId),
      of(({ user }) => user),
      of(({ role }) => role),
      of(({ address }) => address),
      of(({ method }) => method),
      of(({ path }) => path),
      of(({ status }) => status),
    ],
  )
}

/** Newest first, those before the position `before` where one is given. */
export const listEntries = (sql: Sql, { limit, before }: { limit: number; before: number | null }): Promise<StoredAuditEntry[]> =>
  sql.query<StoredAuditEntry>(`select ${COLUMNS} from audit_entry where $2::bigint is null or position < $2 order by position desc limit $1`, [limit, before])

const REMOVED_AT_ONCE = 1000

/** Removes some of what is older than `at`; true when there is more. */
export async function removeEntriesBefore(sql: Sql, at: Date): Promise<boolean> {
  const removed = await sql.query(
    `delete from audit_entry where position in (select position from audit_entry where at < $1 order by position limit ${REMOVED_AT_ONCE}) returning position`,
    [at.toISOString()],
  )
  return removed.length === REMOVED_AT_ONCE
}
