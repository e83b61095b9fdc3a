import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Actor } from './actor.ts'
import type { RegistryDeps } from './deps.ts'
import { decideRollout } from './domain/decide-rollout.ts'
import type { Candidate } from './domain/model.ts'
import { decisionModel, lockModel, refusalError } from './load-model.ts'
import { onceByKey } from './once-by-key.ts'
import { publishServing } from './publish-serving.ts'
import { appendAudit } from './store/audit.ts'

export type RolloutDeps = Pick<RegistryDeps, 'database' | 'once' | 'publish' | 'clock' | 'newId' | 'log'>

export interface RolloutRequest {
  readonly model: string
  readonly candidates: readonly Candidate[]
  readonly expectedGeneration: number
  readonly reason: string
  readonly actor: Actor
  readonly idempotencyKey: string | null
}

/** Replaces the candidates beside Production. @throws AppError RESOURCE_DOES_NOT_EXIST, STALE_GENERATION, INVALID_PARAMETER_VALUE */
export const createSetRollout = (deps: RolloutDeps) =>
  async function setRollout(request: RolloutRequest): Promise<{ generation: number }> {
    const key = request.idempotencyKey === null ? null : `rollout:${request.model}:${request.idempotencyKey}`
    return deps.database.transaction((tx) => onceByKey(deps.once, tx, key, () => decideAndSave(deps, tx, request)))
  }

async function decideAndSave(deps: RolloutDeps, tx: Sql, request: RolloutRequest): Promise<{ generation: number }> {
  const { candidates, expectedGeneration, reason, actor } = request
  const locked = await lockModel(tx, request.model)
  const decision = decideRollout(await decisionModel(tx, locked), candidates, expectedGeneration, deps.newId())
  if (decision.kind === 'refused') throw refusalError(decision)
  if (decision.kind === 'unchanged') return { generation: locked.serving.generation }
  const { serving } = decision
  const now = deps.clock()
  await publishServing(deps, tx, locked.row, serving, now)
  await appendAudit(tx, actor, now, {
    action: 'set-rollout',
    model: locked.row.name,
    modelId: locked.row.id,
    from: describeCandidates(locked.serving.candidates),
    to: describeCandidates(serving.candidates),
    reason,
    details: { generation: serving.generation, candidates: serving.candidates },
  })
  deps.log.info('rollout changed', { model: locked.row.name, generation: serving.generation, by: actor.user, requestId: actor.requestId })
  return { generation: serving.generation }
}

const describeCandidates = (candidates: readonly Candidate[]): string =>
  candidates.length === 0 ? 'none' : candidates.map(({ version, mode, weightPercent }) => `${version}:${mode}:${weightPercent}%`).join(' ')
