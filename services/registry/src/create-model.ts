import { AppError } from '@millrace/platform/errors.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Actor } from './actor.ts'
import type { RegistryDeps } from './deps.ts'
import { appendAudit } from './store/audit.ts'
import { insertModel, type ModelRow, type Tags } from './store/models.ts'
import { lockServing } from './store/serving.ts'
import { announceChange } from './webhooks/announce-change.ts'

export interface CreateModelRequest {
  readonly name: string
  readonly description: string
  readonly tags: Tags
  readonly actor: Actor
}

export const modelExists = (name: string): AppError => new AppError('RESOURCE_ALREADY_EXISTS', `Registered Model (name=${name}) already exists.`)

/** Registers a name. Of two that ask for it at once one wins, the other is told that it exists. @throws AppError RESOURCE_ALREADY_EXISTS */
export const createCreateModel = (deps: Pick<RegistryDeps, 'database' | 'clock' | 'log'>) =>
  async function createModel(request: CreateModelRequest): Promise<ModelRow> {
    const row = await deps.database.transaction((tx) => addModel(tx, request, deps.clock()))
    if (!row) throw modelExists(request.name)
    deps.log.info('model created', { model: row.name, by: request.actor.user, requestId: request.actor.requestId })
    return row
  }

/** Null where the name is taken. */
export async function addModel(tx: Sql, request: CreateModelRequest, now: Date): Promise<ModelRow | null> {
  const { name, description, tags, actor } = request
  await lockServing(tx, name)
  const row = await insertModel(tx, { name, description, tags, user: actor.user }, now)
  if (!row) return null
  await announceChange(tx, { kind: 'model-created', name, tags, description }, now)
  await appendAudit(tx, actor, now, { action: 'create-model', model: name, modelId: row.id, to: name })
  return row
}
