import type { Sql } from '@millrace/platform/sql/sql.ts'

export type Tags = Readonly<Record<string, string>>

export interface ModelRow {
  readonly id: number
  readonly name: string
  readonly description: string
  readonly tags: Tags
  readonly user_id: string
  readonly created_at: Date
  readonly updated_at: Date
}

export const MODEL_COLUMNS = 'm.id, m.name, m.description, m.tags, m.user_id, m.created_at, m.updated_at'

export async function findModel(sql: Sql, name: string): Promise<ModelRow | null> {
  const [row] = await sql.query<ModelRow>(`select ${MODEL_COLUMNS} from registered_model m where m.name = $1`, [name])
  return row ?? null
}

export interface NewModel {
  readonly name: string
  readonly description: string
  readonly tags: Tags
  readonly user: string
}

/** Null where the name is taken: of two that ask at once, one gets the row. */
export async function insertModel(tx: Sql, model: NewModel, now: Date): Promise<ModelRow | null> {
  const [row] = await tx.query<ModelRow>(
    `insert into registered_model as m (name, description, tags, user_id, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
     on conflict (name) do nothing returning ${MODEL_COLUMNS}`,
    [model.name, model.description, JSON.stringify(model.tags), model.user, now],
  )
  return row ?? null
}

export async function describeModel(tx: Sql, id: number, description: string, now: Date): Promise<void> {
  await tx.query('update registered_model set description = $2, updated_at = $3 where id = $1', [id, description, now])
}

export async function touchModel(tx: Sql, id: number, now: Date): Promise<void> {
  await tx.query('update registered_model set updated_at = $2 where id = $1', [id, now])
}

/** Versions carry the model's time of renaming too. */
export async function renameModelRow(tx: Sql, id: number, name: string, now: Date): Promise<void> {
  await tx.query('update registered_model set name = $2, updated_at = $3 where id = $1', [id, name, now])
  await tx.query('update model_version set updated_at = $2 where model_id = $1 and deleted_at is null', [id, now])
}

/** Versions and aliases go with it. */
export async function deleteModelRow(tx: Sql, id: number): Promise<void> {
  await tx.query('delete from registered_model where id = $1', [id])
}

export async function setModelTag(tx: Sql, id: number, key: string, value: string): Promise<void> {
  await tx.query('update registered_model set tags = tags || jsonb_build_object($2::text, $3::text) where id = $1', [id, key, value])
}

export async function deleteModelTag(tx: Sql, id: number, key: string): Promise<void> {
  await tx.query('update registered_model set tags = tags - $2::text where id = $1', [id, key])
}
