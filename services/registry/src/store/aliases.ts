import type { Sql } from '@millrace/platform/sql/sql.ts'

export interface AliasRow {
  readonly model_id: number
  readonly alias: string
  readonly version: number
}

export async function listAliases(sql: Sql, modelIds: readonly number[]): Promise<AliasRow[]> {
  return sql.query<AliasRow>('select model_id, alias, version from model_alias where model_id = any($1::bigint[]) order by alias', [modelIds])
}

export async function findAlias(sql: Sql, modelId: number, alias: string): Promise<number | null> {
  const [row] = await sql.query<{ version: number }>('select version from model_alias where model_id = $1 and alias = $2', [modelId, alias])
  return row?.version ?? null
}

export async function putAlias(tx: Sql, modelId: number, alias: string, version: number): Promise<void> {
  await tx.query(
    'insert into model_alias (model_id, alias, version) values ($1, $2, $3) on conflict (model_id, alias) do update set version = excluded.version',
    [modelId, alias, version],
  )
}

export async function removeAlias(tx: Sql, modelId: number, alias: string): Promise<void> {
  await tx.query('delete from model_alias where model_id = $1 and alias = $2', [modelId, alias])
}

/** Answers the names that went with the version. */
export async function removeAliasesOf(tx: Sql, modelId: number, version: number): Promise<string[]> {
  const rows = await tx.query<{ alias: string }>('delete from model_alias where model_id = $1 and version = $2 returning alias', [modelId, version])
  return rows.map((row) => row.alias)
}
