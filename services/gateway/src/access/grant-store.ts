import type { Grant } from '@millrace/platform/access/rights.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface StoredGrant extends Omit<Grant, 'personal'> {
  readonly grantId: number
  readonly principalKind: 'user' | 'group'
  /** A name; `*` for everybody. */
  readonly principal: string
}

/** What a grant is told by: there is one of each. */
export type GrantKey = Pick<StoredGrant, 'principalKind' | 'principal' | 'kind' | 'by' | 'value'>

const COLUMNS = 'grant_id as "grantId", principal_kind as "principalKind", principal, resource as kind, matched_by as by, value, level, promote'
const SAME = 'principal_kind = $1 and principal = $2 and resource = $3 and matched_by = $4 and value = $5'
const keyOf = ({ principalKind, principal, kind, by, value }: GrantKey) => [principalKind, principal, kind, by, value]

export const listGrants = (sql: Sql): Promise<StoredGrant[]> => sql.query<StoredGrant>(`select ${COLUMNS} from access_grant order by grant_id`)

export async function findGrant(sql: Sql, key: GrantKey): Promise<StoredGrant | null> {
  const [row] = await sql.query<StoredGrant>(`select ${COLUMNS} from access_grant where ${SAME}`, keyOf(key))
  return row ?? null
}

/** In place of the one that there may be. */
export async function saveGrant(sql: Sql, grant: Omit<StoredGrant, 'grantId'>, by: string, now: Date): Promise<StoredGrant> {
  const [row] = await sql.query<StoredGrant>(
    `insert into access_grant (principal_kind, principal, resource, matched_by, value, level, promote, created_at, created_by)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      on conflict on constraint access_grant_once do update set level = excluded.level, promote = excluded.promote, created_at = excluded.created_at,
        created_by = excluded.created_by
      returning ${COLUMNS}`,
    [...keyOf(grant), grant.level, grant.promote, now, by],
  )
  if (!row) throw new Error('a grant was neither inserted nor updated')
  return row
}

export const countGrants = async (sql: Sql, kind: string, principal: string): Promise<number> => {
  const [row] = await sql.query<{ count: number }>('select count(*) as count from access_grant where principal_kind = $1 and principal = $2', [kind, principal])
  return row?.count ?? 0
}

export async function deleteGrant(sql: Sql, grantId: number): Promise<boolean> {
  return (await sql.query('delete from access_grant where grant_id = $1 returning grant_id', [grantId])).length > 0
}

export interface Membership {
  readonly group: string
  readonly user: string
}

export const listMemberships = (sql: Sql): Promise<Membership[]> =>
  sql.query<Membership>('select group_name as "group", user_name as "user" from access_group_member order by group_name, user_name')

/** The members of a group in place of those it had; none ends the group. */
export async function saveMembers(tx: Sql, group: string, members: readonly string[]): Promise<void> {
  await tx.query('delete from access_group_member where group_name = $1', [group])
  await tx.query('insert into access_group_member (group_name, user_name) select $1, name from unnest($2::text[]) as t (name)', [group, [...new Set(members)]])
}
