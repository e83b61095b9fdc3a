import { AppError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Model, Refusal, Serving } from './domain/model.ts'
import { findModel, type ModelRow } from './store/models.ts'
import { loadModel, lockServing } from './store/serving.ts'
import { findVersionRow, type VersionRow } from './store/versions.ts'

export interface LockedModel {
  readonly row: ModelRow
  readonly serving: Serving
  readonly lastVersion: number
}

export const modelNotFound = (name: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', `Registered Model with name=${name} not found`)

export const versionMissing = (model: string, version: number | string): AppError =>
  new AppError('RESOURCE_DOES_NOT_EXIST', `Model Version (name=${model}, version=${version}) not found`)

/** A refusal of the domain, as the caller is told of it. */
export const refusalError = (refusal: Refusal): AppError => new AppError(refusal.code, refusal.message)

/** @throws AppError RESOURCE_DOES_NOT_EXIST */
export async function requireModel(sql: Sql, name: string): Promise<ModelRow> {
  const row = await findModel(sql, name)
  if (!row) throw modelNotFound(name)
  return row
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST, naming the model where it is the model that is missing */
export async function requireVersion(sql: Sql, model: string, version: number): Promise<VersionRow> {
  const row = await findVersionRow(sql, model, version)
  if (row) return row
  await requireModel(sql, model)
  throw versionMissing(model, version)
}

/**
 * Locks the model's name for the rest of the transaction, then reads it: whoever waited for the lock sees what the holder made of it.
 * @throws AppError RESOURCE_DOES_NOT_EXIST
 */
export async function lockModel(tx: Sql, name: string): Promise<LockedModel> {
  // Looked at first, so that a name that never was leaves no row behind.
  await requireModel(tx, name)
  const { serving, lastVersion } = await lockServing(tx, name)
  return { row: await requireModel(tx, name), serving, lastVersion }
}

export const decisionModel = (tx: Sql, locked: LockedModel): Promise<Model> => loadModel(tx, locked.row.id, locked.row.name, locked.serving)
