import { isDeepStrictEqual } from 'node:util'
import type { ServingSettings } from '@millrace/contracts/model/serving-settings.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Actor } from './actor.ts'
import { refuseStale } from './domain/model.ts'
import { decisionModel, lockModel, refusalError } from './load-model.ts'
import { onceByKey } from './once-by-key.ts'
import { publishServing } from './publish-serving.ts'
import type { RolloutDeps } from './set-rollout.ts'
import { appendAudit } from './store/audit.ts'
import { readServingSettings, saveServingSettings } from './store/serving-settings.ts'

export interface SettingsRequest {
  readonly model: string
  readonly settings: ServingSettings
  readonly expectedGeneration: number
  readonly reason: string
  readonly actor: Actor
  readonly idempotencyKey: string | null
}

/** Replaces how a model is served; pods are told in one more generation of its serving state. @throws AppError RESOURCE_DOES_NOT_EXIST, STALE_GENERATION */
export const createSetServingSettings = (deps: RolloutDeps) =>
  async function setServingSettings(request: SettingsRequest): Promise<{ generation: number }> {
    const key = request.idempotencyKey === null ? null : `serving-settings:${request.model}:${request.idempotencyKey}`
    return deps.database.transaction((tx) => onceByKey(deps.once, tx, key, () => save(deps, tx, request)))
  }

async function save(deps: RolloutDeps, tx: Sql, { model, settings, expectedGeneration, reason, actor }: SettingsRequest): Promise<{ generation: number }> {
  const locked = await lockModel(tx, model)
  const stale = refuseStale(await decisionModel(tx, locked), expectedGeneration)
  if (stale) throw refusalError(stale)
  const before = await readServingSettings(tx, locked.row.id)
  if (isDeepStrictEqual(before, settings)) return { generation: locked.serving.generation }
  const now = deps.clock()
  const serving = { ...locked.serving, generation: locked.serving.generation + 1 }
  await saveServingSettings(tx, locked.row.id, settings, now)
  await publishServing(deps, tx, locked.row, serving, now)
  await appendAudit(tx, actor, now, {
    action: 'set-serving-settings',
    model: locked.row.name,
    modelId: locked.row.id,
    from: JSON.stringify(before),
    to: JSON.stringify(settings),
    reason,
    details: { generation: serving.generation, settings },
  })
  deps.log.info('serving settings changed', { model: locked.row.name, generation: serving.generation, by: actor.user, requestId: actor.requestId })
  return { generation: serving.generation }
}
