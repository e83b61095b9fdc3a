import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrackingDeps } from '../deps.ts'
import { type KeyValue, lastByKey } from '../domain/batch.ts'
import { type LoggedModel, type LoggedModelStatus, normalizeRegistrations, REGISTRATIONS_TAG } from '../domain/logged-model.ts'
import { checkParams, checkTags } from '../log-values.ts'
import { loggedModelMissing, missing } from '../refusals.ts'
import { deleteModelTag, findLoggedModel, lockLoggedModel, markLoggedModelDeleted, setLoggedModelStatus, upsertModelPairs } from '../store/logged-models.ts'

async function lockActive(tx: Sql, modelId: string): Promise<void> {
  if ((await lockLoggedModel(tx, modelId)) !== 'active') throw loggedModelMissing(modelId)
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST for a deleted one too, unless it was asked for */
export async function readLoggedModel(sql: Sql, modelId: string, allowDeleted = false): Promise<LoggedModel> {
  const model = await findLoggedModel(sql, modelId)
  if (!model || (model.lifecycle === 'deleted' && !allowDeleted)) throw loggedModelMissing(modelId)
  return model
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createFinalizeLoggedModel = (deps: TrackingDeps) =>
  async function finalizeLoggedModel(modelId: string, status: LoggedModelStatus): Promise<LoggedModel> {
    return deps.database.transaction(async (tx) => {
      await lockActive(tx, modelId)
      await setLoggedModelStatus(tx, modelId, status, deps.clock().getTime())
      return readLoggedModel(tx, modelId)
    })
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createDeleteLoggedModel = (deps: TrackingDeps) =>
  async function deleteLoggedModel(modelId: string): Promise<void> {
    await deps.database.transaction(async (tx) => {
      await lockActive(tx, modelId)
      await markLoggedModelDeleted(tx, modelId, deps.clock().getTime())
    })
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createSetLoggedModelTags = (deps: TrackingDeps) =>
  async function setLoggedModelTags(modelId: string, tags: readonly KeyValue[]): Promise<void> {
    const known = checkTags(tags, deps.config).map((tag) => (tag.key === REGISTRATIONS_TAG ? { key: tag.key, value: normalizeRegistrations(tag.value) } : tag))
    await deps.database.transaction(async (tx) => {
      await lockActive(tx, modelId)
      await upsertModelPairs(tx, 'logged_model_tag', modelId, lastByKey(known))
    })
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST where the model lacks the tag */
export const createDeleteLoggedModelTag = (deps: TrackingDeps) =>
  async function deleteLoggedModelTag(modelId: string, key: string): Promise<void> {
    await deps.database.transaction(async (tx) => {
      await lockActive(tx, modelId)
      if (!(await deleteModelTag(tx, modelId, key))) throw missing(`No tag with key '${key}' found for model with ID '${modelId}'.`)
    })
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createLogModelParams = (deps: TrackingDeps) =>
  async function logModelParams(modelId: string, params: readonly KeyValue[]): Promise<void> {
    const known = checkParams(params, deps.config)
    await deps.database.transaction(async (tx) => {
      await lockActive(tx, modelId)
      await upsertModelPairs(tx, 'logged_model_param', modelId, lastByKey(known))
    })
  }
