import type { Role } from '@millrace/platform/http/identity.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

/** A key that is not revoked. */
export interface StoredKey {
  readonly keyId: string
  readonly name: string
  readonly role: Role
  readonly sha256: Buffer
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
}

const COLUMNS = 'key_id as "keyId", name, role, sha256, created_at as "createdAt", expires_at as "expiresAt", last_used_at as "lastUsedAt"'

export const listKeys = (sql: Sql): Promise<StoredKey[]> =>
  sql.query<StoredKey>(`select ${COLUMNS} from api_key where revoked_at is null order by created_at, key_id`)

/** @throws UniqueViolation when a living key has the name */
export async function insertKey(sql: Sql, key: StoredKey, createdBy: string): Promise<void> {
  const values = [key.keyId, key.name, key.role, key.sha256, key.createdAt, createdBy, key.expiresAt]
  await sql.query('insert into api_key (key_id, name, role, sha256, created_at, created_by, expires_at) values ($1, $2, $3, $4, $5, $6, $7)', values)
}

/** Answers whether there was such a key. */
export async function revokeKey(sql: Sql, keyId: string, at: Date): Promise<boolean> {
  const rows = await sql.query('update api_key set revoked_at = $2 where key_id = $1 and revoked_at is null returning key_id', [keyId, at])
  return rows.length > 0
}

export async function saveLastUses(sql: Sql, uses: ReadonlyMap<string, Date>): Promise<void> {
  await sql.query(
    'update api_key set last_used_at = used.at from unnest($1::text[], $2::timestamptz[]) as used (key_id, at) where api_key.key_id = used.key_id',
    [[...uses.keys()], [...uses.values()].map((at) => at.toISOString())],
  )
}
