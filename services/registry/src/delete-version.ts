import { modelAliasChanged, modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { type Actor, refuseTakingDown } from './actor.ts'
import type { RegistryDeps } from './deps.ts'
import { servingWithout } from './domain/serving.ts'
import { lockModel, requireVersion } from './load-model.ts'
import { publishServing } from './publish-serving.ts'
import { removeAliasesOf } from './store/aliases.ts'
import { appendAudit } from './store/audit.ts'
import { touchModel } from './store/models.ts'
import { insertPinRelease } from './store/pins.ts'
import { markDeleted, type VersionRow } from './store/versions.ts'
import { announceChange } from './webhooks/announce-change.ts'
import { isPromptTagged } from './webhooks/domain/registry-change.ts'

export type DeleteDeps = Pick<RegistryDeps, 'database' | 'publish' | 'clock' | 'log'>

export interface DeleteVersionRequest {
  readonly model: string
  readonly version: number
  readonly actor: Actor
}

/** Deletes a version with its aliases, takes it out of service and lets go of its files. Its number is never used again. @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createDeleteVersion = (deps: DeleteDeps) =>
  async function deleteVersion(request: DeleteVersionRequest): Promise<void> {
    await deps.database.transaction((tx) => removeVersion(deps, tx, request))
  }

async function removeVersion(deps: DeleteDeps, tx: Sql, { model, version, actor }: DeleteVersionRequest): Promise<void> {
  const { row: modelRow, serving } = await lockModel(tx, model)
  const row = await requireVersion(tx, model, version)
  if (serving.production === version) refuseTakingDown(actor, model, version)
  const now = deps.clock()
  await markDeleted(tx, row, now)
  await touchModel(tx, row.model_id, now)
  await removeAliases(deps, tx, row, actor, now)
  await releaseFiles(tx, row, now)
  await appendAudit(tx, actor, now, { action: 'delete-version', model, modelId: row.model_id, version, from: row.stage, details: { source: row.source } })
  await deps.publish(tx, { definition: modelVersionDeleted, subject: model, data: { model, version: String(version), deletedBy: actor.user } })
  const next = servingWithout(serving, version)
  if (next) await publishServing(deps, tx, modelRow, next, now)
  deps.log.info('version deleted', { model, version, by: actor.user, requestId: actor.requestId })
}

async function removeAliases(deps: Pick<DeleteDeps, 'publish'>, tx: Sql, row: VersionRow, actor: Actor, now: Date): Promise<void> {
  const previousVersion = String(row.version)
  for (const alias of await removeAliasesOf(tx, row.model_id, row.version)) {
    const data = { model: row.name, alias, version: null, previousVersion, changedBy: actor.user }
    await deps.publish(tx, { definition: modelAliasChanged, subject: row.name, data })
    const details = { alias }
    await announceChange(tx, { kind: 'alias', prompt: isPromptTagged(row.tags), name: row.name, alias, version: null }, now)
    await appendAudit(tx, actor, now, { action: 'delete-alias', model: row.name, modelId: row.model_id, version: row.version, from: previousVersion, details })
  }
}

/** A version that was still pending may be sealed by now without our knowing. */
export async function releaseFiles(tx: Sql, row: VersionRow, now: Date): Promise<void> {
  if (row.seal_source === null || row.status === 'FAILED_REGISTRATION') return
  await insertPinRelease(tx, { holder: row.pin_holder, source: row.seal_source, sha256: row.artifact?.sha256 ?? null }, now)
}
