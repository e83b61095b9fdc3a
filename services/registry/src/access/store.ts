import type { Resource } from '@millrace/platform/access/rights.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

interface Row {
  name: string
  user_id: string
}

const toResource = ({ name, user_id: owner }: Row): Resource => ({ kind: 'model', name, owner: owner || null })

export async function modelResource(sql: Sql, name: string): Promise<Resource | null> {
  const [row] = await sql.query<Row>('select name, user_id from registered_model where name = $1', [name])
  return row ? toResource(row) : null
}

export async function allModels(sql: Sql): Promise<Resource[]> {
  return (await sql.query<Row>('select name, user_id from registered_model')).map(toResource)
}

/** Models with a known creator, newest first. */
export const listOwners = (sql: Sql, limit: number): Promise<{ name: string; owner: string }[]> =>
  sql.query(`select name, user_id as owner from registered_model where user_id <> '' order by id desc limit ${limit}`)
