import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Actor } from './actor.ts'
import { decideRollback } from './domain/decide-rollback.ts'
import { decisionModel, lockModel, refusalError } from './load-model.ts'
import { onceByKey } from './once-by-key.ts'
import { saveMoves, type TransitionDeps } from './transition-stage.ts'

export interface RollbackRequest {
  readonly model: string
  /** Null brings back the version that was Production before the present one. */
  readonly version: number | null
  readonly reason: string
  readonly expectedGeneration: number | null
  readonly actor: Actor
  readonly idempotencyKey: string | null
}

export interface RollbackAnswer {
  readonly generation: number
  readonly version: string
  readonly previousVersion: string | null
}

/** Promotes an earlier version again; nothing is rewritten. @throws AppError RESOURCE_DOES_NOT_EXIST, STALE_GENERATION, INVALID_PARAMETER_VALUE */
export const createRollBack = (deps: TransitionDeps) =>
  async function rollBack(request: RollbackRequest): Promise<RollbackAnswer> {
    const key = request.idempotencyKey === null ? null : `rollback:${request.model}:${request.idempotencyKey}`
    return deps.database.transaction((tx) => onceByKey(deps.once, tx, key, () => decideAndSave(deps, tx, request)))
  }

async function decideAndSave(deps: TransitionDeps, tx: Sql, request: RollbackRequest): Promise<RollbackAnswer> {
  const { reason, actor } = request
  const locked = await lockModel(tx, request.model)
  const rollback = decideRollback(await decisionModel(tx, locked), request.version, request.expectedGeneration)
  if ('kind' in rollback) throw refusalError(rollback)
  const { decision, target } = rollback
  if (decision.kind === 'refused') throw refusalError(decision)
  if (decision.kind === 'unchanged') throw new Error(`rolling ${request.model} back to version ${target} changes nothing`)
  const context = { action: 'rollback', actor, reason, decisionId: `rollback:${actor.requestId}`, skippedGates: [] }
  const { generation } = await saveMoves(deps, tx, locked, decision, context)
  const previous = locked.serving.production
  return { generation, version: String(target), previousVersion: previous === null ? null : String(previous) }
}
