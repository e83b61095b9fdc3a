import { modelAliasChanged } from '@millrace/contracts/events/model-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Actor } from './actor.ts'
import type { DeleteDeps } from './delete-version.ts'
import { lockModel, requireVersion } from './load-model.ts'
import { findAlias, putAlias, removeAlias } from './store/aliases.ts'
import { appendAudit } from './store/audit.ts'
import type { ModelRow } from './store/models.ts'
import { deleteVersionTag, describeVersion, setVersionTag } from './store/versions.ts'
import { announceChange } from './webhooks/announce-change.ts'
import { isPromptTagged } from './webhooks/domain/registry-change.ts'

/** A version as it is named by callers. */
export interface VersionKey {
  readonly model: string
  readonly version: number
}

/** Changes of a version that pods do not see, each with its audit row in one transaction. @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createChangeVersion = (deps: DeleteDeps) => {
  const inTransaction = (work: (tx: Sql) => Promise<void>): Promise<void> => deps.database.transaction(work)
  return {
    describe: (key: VersionKey, description: string, actor: Actor) => inTransaction((tx) => describe(deps, tx, key, description, actor)),
    setTag: (key: VersionKey, tag: string, value: string, actor: Actor) => inTransaction((tx) => changeTag(deps, tx, key, { tag, value }, actor)),
    deleteTag: (key: VersionKey, tag: string, actor: Actor) => inTransaction((tx) => changeTag(deps, tx, key, { tag, value: null }, actor)),
    setAlias: (key: VersionKey, alias: string, actor: Actor) => inTransaction((tx) => setAlias(deps, tx, key, alias, actor)),
    deleteAlias: (model: string, alias: string, actor: Actor) => inTransaction((tx) => deleteAlias(deps, tx, model, alias, actor)),
  }
}

async function describe(deps: DeleteDeps, tx: Sql, { model, version }: VersionKey, description: string, actor: Actor): Promise<void> {
  const row = await requireVersion(tx, model, version)
  const now = deps.clock()
  await describeVersion(tx, row.id, description, now)
  await appendAudit(tx, actor, now, { action: 'update-version', model, modelId: row.model_id, version, from: row.description, to: description })
}

async function changeTag(deps: DeleteDeps, tx: Sql, key: VersionKey, change: { tag: string; value: string | null }, actor: Actor): Promise<void> {
  const row = await requireVersion(tx, key.model, key.version)
  // A key may be called `constructor`.
  const before = (Object.hasOwn(row.tags, change.tag) ? row.tags[change.tag] : null) ?? null
  if (before === change.value) return
  if (change.value === null) await deleteVersionTag(tx, row.id, change.tag)
  else await setVersionTag(tx, row.id, change.tag, change.value)
  const action = change.value === null ? 'delete-version-tag' : 'set-version-tag'
  const { model, version } = key
  const now = deps.clock()
  await announceChange(tx, { kind: 'version-tag', prompt: isPromptTagged(row.tags), name: model, version, key: change.tag, value: change.value }, now)
  await appendAudit(tx, actor, now, { action, model, modelId: row.model_id, version, from: before, to: change.value, details: { key: change.tag } })
}

/** One version per alias within a model: setting it moves it. */
async function setAlias(deps: DeleteDeps, tx: Sql, { model, version }: VersionKey, alias: string, actor: Actor): Promise<void> {
  const { row } = await lockModel(tx, model)
  await requireVersion(tx, model, version)
  const before = await findAlias(tx, row.id, alias)
  if (before === version) return
  await putAlias(tx, row.id, alias, version)
  await recordAlias(deps, tx, row, { alias, from: before, to: version }, actor)
}

/** An alias that is not set is fine, as in MLflow. */
async function deleteAlias(deps: DeleteDeps, tx: Sql, model: string, alias: string, actor: Actor): Promise<void> {
  const { row } = await lockModel(tx, model)
  const before = await findAlias(tx, row.id, alias)
  if (before === null) return
  await removeAlias(tx, row.id, alias)
  await recordAlias(deps, tx, row, { alias, from: before, to: null }, actor)
}

async function recordAlias(
  deps: DeleteDeps,
  tx: Sql,
  model: Pick<ModelRow, 'id' | 'name' | 'tags'>,
  change: { alias: string; from: number | null; to: number | null },
  actor: Actor,
): Promise<void> {
  const [from, to] = [change.from, change.to].map((version) => (version === null ? null : String(version)))
  const now = deps.clock()
  await announceChange(tx, { kind: 'alias', prompt: isPromptTagged(model.tags), name: model.name, alias: change.alias, version: change.to }, now)
  await appendAudit(tx, actor, now, {
    action: to === null ? 'delete-alias' : 'set-alias',
    model: model.name,
    modelId: model.id,
    ...(change.to === null ? {} : { version: change.to }),
    from: from ?? null,
    to: to ?? null,
    details: { alias: change.alias },
  })
  const data = { model: model.name, alias: change.alias, version: to ?? null, previousVersion: from ?? null, changedBy: actor.user }
  await deps.publish(tx, { definition: modelAliasChanged, subject: model.name, data })
}
