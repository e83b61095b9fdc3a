import { modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { type Actor, refuseTakingDown } from './actor.ts'
import { modelExists } from './create-model.ts'
import { type DeleteDeps, releaseFiles } from './delete-version.ts'
import { servingNothing, servingRenamed } from './domain/serving.ts'
import { lockModel, requireModel } from './load-model.ts'
import { publishServing } from './publish-serving.ts'
import { appendAudit } from './store/audit.ts'
import { deleteModelRow, deleteModelTag, describeModel, findModel, renameModelRow, setModelTag } from './store/models.ts'
import { lockServing, saveLastVersion } from './store/serving.ts'
import { listVersions } from './store/versions.ts'
import { announceChange } from './webhooks/announce-change.ts'
import { isPromptTagged } from './webhooks/domain/registry-change.ts'

/** Changes of a registered model itself, each with its audit row in one transaction. @throws AppError RESOURCE_DOES_NOT_EXIST, RESOURCE_ALREADY_EXISTS */
export const createChangeModel = (deps: DeleteDeps) => {
  const inTransaction = (work: (tx: Sql) => Promise<void>): Promise<void> => deps.database.transaction(work)
  return {
    describe: (name: string, description: string, actor: Actor) => inTransaction((tx) => describe(deps, tx, name, description, actor)),
    setTag: (name: string, key: string, value: string, actor: Actor) => inTransaction((tx) => changeTag(deps, tx, name, key, value, actor)),
    deleteTag: (name: string, key: string, actor: Actor) => inTransaction((tx) => changeTag(deps, tx, name, key, null, actor)),
    rename: (name: string, newName: string, actor: Actor) => inTransaction((tx) => rename(deps, tx, name, newName, actor)),
    remove: (name: string, actor: Actor) => inTransaction((tx) => remove(deps, tx, name, actor)),
  }
}

async function describe(deps: DeleteDeps, tx: Sql, name: string, description: string, actor: Actor): Promise<void> {
  const row = await requireModel(tx, name)
  const now = deps.clock()
  await describeModel(tx, row.id, description, now)
  await appendAudit(tx, actor, now, { action: 'update-model', model: name, modelId: row.id, from: row.description, to: description })
}

async function changeTag(deps: DeleteDeps, tx: Sql, name: string, key: string, value: string | null, actor: Actor): Promise<void> {
  const row = await requireModel(tx, name)
  // A key may be called `constructor`.
  const before = (Object.hasOwn(row.tags, key) ? row.tags[key] : null) ?? null
  if (before === value) return
  if (value === null) await deleteModelTag(tx, row.id, key)
  else await setModelTag(tx, row.id, key, value)
  const action = value === null ? 'delete-model-tag' : 'set-model-tag'
  const now = deps.clock()
  await announceChange(tx, { kind: 'model-tag', prompt: isPromptTagged(row.tags), name, key, value }, now)
  await appendAudit(tx, actor, now, { action, model: name, modelId: row.id, from: before, to: value, details: { key } })
}

/** Versions, tags and aliases move along. Pods let go of the old name and follow the new one, each one generation on. */
async function rename(deps: DeleteDeps, tx: Sql, name: string, newName: string, actor: Actor): Promise<void> {
  if (name === newName) {
    await requireModel(tx, name)
    return
  }
  await requireModel(tx, name)
  // Two renames that cross must take the locks in the same order.
  for (const each of name < newName ? [name, newName] : [newName, name]) await lockServing(tx, each)
  const row = await requireModel(tx, name)
  if (await findModel(tx, newName)) throw modelExists(newName)
  const [old, present] = [await lockServing(tx, name), await lockServing(tx, newName)]
  refuseTakingDown(actor, name, old.serving.production)
  const now = deps.clock()
  await renameModelRow(tx, row.id, newName, now)
  await saveLastVersion(tx, newName, old.lastVersion)
  await appendAudit(tx, actor, now, { action: 'rename-model', model: name, modelId: row.id, from: name, to: newName })
  const left = servingNothing(old.serving)
  if (left) await publishServing(deps, tx, row, left, now)
  const moved = servingRenamed(old.serving, present.serving)
  if (moved) await publishServing(deps, tx, { id: row.id, name: newName }, moved, now)
  deps.log.info('model renamed', { model: name, to: newName, by: actor.user, requestId: actor.requestId })
}

async function remove(deps: DeleteDeps, tx: Sql, name: string, actor: Actor): Promise<void> {
  const { row, serving } = await lockModel(tx, name)
  refuseTakingDown(actor, name, serving.production)
  const versions = await listVersions(tx, row.id)
  const now = deps.clock()
  for (const version of versions) {
    await releaseFiles(tx, version, now)
    await deps.publish(tx, { definition: modelVersionDeleted, subject: name, data: { model: name, version: String(version.version), deletedBy: actor.user } })
  }
  await deleteModelRow(tx, row.id)
  await appendAudit(tx, actor, now, {
    action: 'delete-model',
    model: name,
    modelId: row.id,
    from: name,
    details: { versions: versions.map((version) => version.version) },
  })
  const left = servingNothing(serving)
  if (left) await publishServing(deps, tx, row, left, now)
  deps.log.info('model deleted', { model: name, versions: versions.length, by: actor.user, requestId: actor.requestId })
}
