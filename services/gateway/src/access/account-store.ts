import type { Role } from '@millrace/platform/http/identity.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface Account {
  readonly userId: number
  readonly name: string
  readonly passwordHash: string
  readonly role: Role
}

const COLUMNS = 'user_id as "userId", user_name as name, password_hash as "passwordHash", role'

export const listAccounts = (sql: Sql): Promise<Account[]> => sql.query<Account>(`select ${COLUMNS} from account order by user_id`)

/** Null where the name is taken. */
export async function insertAccount(sql: Sql, account: Omit<Account, 'userId'>, now: Date): Promise<Account | null> {
  const [row] = await sql.query<Account>(
    `insert into account (user_name, password_hash, role, created_at, updated_at) values ($1, $2, $3, $4, $4) on conflict do nothing returning ${COLUMNS}`,
    [account.name, account.passwordHash, account.role, now],
  )
  return row ?? null
}

export async function saveAccount(sql: Sql, { name, passwordHash, role }: Omit<Account, 'userId'>, now: Date): Promise<void> {
  await sql.query('update account set password_hash = $2, role = $3, updated_at = $4 where user_name = $1', [name, passwordHash, role, now])
}

/** Whoever takes the name later must not have what was granted to this one. */
export async function deleteAccount(tx: Sql, name: string): Promise<void> {
  await tx.query('delete from account where user_name = $1', [name])
  await tx.query("delete from access_grant where principal_kind = 'user' and principal = $1", [name])
  await tx.query('delete from access_group_member where user_name = $1', [name])
}
