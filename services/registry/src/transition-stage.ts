import { modelPromoted, modelRolledBack, modelVersionStageChanged } from '@millrace/contracts/events/model-events.ts'
import type { ModelVersion, Stage } from '@millrace/contracts/http/registry.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { type Actor, refuseTakingDown } from './actor.ts'
import type { RegistryDeps } from './deps.ts'
import { decideStage, type Promotion, type StageDecision } from './domain/decide-stage.ts'
import { decisionModel, type LockedModel, lockModel, refusalError, requireVersion } from './load-model.ts'
import { onceByKey } from './once-by-key.ts'
import { presentVersion } from './present.ts'
import { publishServing } from './publish-serving.ts'
import { appendAudit } from './store/audit.ts'
import { touchModel } from './store/models.ts'
import { savePromotion, saveStages } from './store/serving.ts'
import { findVersionRow, type VersionRow } from './store/versions.ts'

export type TransitionDeps = Pick<RegistryDeps, 'database' | 'once' | 'publish' | 'clock' | 'log' | 'metrics'>

export interface TransitionRequest {
  readonly model: string
  readonly version: number
  readonly stage: Stage
  readonly archiveExisting: boolean
  readonly actor: Actor
  readonly reason: string
  readonly decisionId: string
  readonly idempotencyKey: string | null
  readonly expectedGeneration: number | null
  /** Gates of the policy that a person's own promotion did not pass; throws where the policy forbids it. Called only where the stored answer of a repeated key is not at hand. */
  readonly skippedGates: () => readonly string[]
}

/** MLflow's answer, and the generation that the move made. */
export interface TransitionAnswer {
  readonly model_version: ModelVersion
  readonly generation: number
}

/** Why and by whom stages move, for events and audit rows. */
export interface MoveContext {
  readonly action: string
  readonly actor: Actor
  readonly reason: string
  readonly decisionId: string
  readonly skippedGates: readonly string[]
}

/**
 * Moves a version to a stage; the change, its audit rows and its events commit together or not at all.
 * @throws AppError RESOURCE_DOES_NOT_EXIST, STALE_GENERATION, INVALID_PARAMETER_VALUE, and whatever `skippedGates` refuses with
 */
export const createTransitionStage = (deps: TransitionDeps) =>
  async function transitionStage(request: TransitionRequest): Promise<TransitionAnswer> {
    const key = request.idempotencyKey === null ? null : `transition-stage:${request.model}:${request.version}:${request.idempotencyKey}`
    return deps.database.transaction((tx) => onceByKey(deps.once, tx, key, () => decideAndSave(deps, tx, request)))
  }

async function decideAndSave(deps: TransitionDeps, tx: Sql, request: TransitionRequest): Promise<TransitionAnswer> {
  const locked = await lockModel(tx, request.model)
  const { version, stage: to, archiveExisting, expectedGeneration, actor, reason, decisionId } = request
  const decision = decideStage(await decisionModel(tx, locked), { version, to, archiveExisting, expectedGeneration })
  if (decision.kind === 'refused') throw refusalError(decision)
  if (locked.serving.production === version && to !== 'Production') refuseTakingDown(actor, request.model, version)
  const skippedGates = decision.kind === 'changed' && decision.promotion ? request.skippedGates() : []
  const context = { action: 'transition-stage', actor, reason, decisionId, skippedGates }
  const { generation } = decision.kind === 'changed' ? await saveMoves(deps, tx, locked, decision, context) : locked.serving
  return { model_version: presentVersion(await requireVersion(tx, request.model, version)), generation }
}

/** Writes down what was decided: stages, serving state, audit rows and events. */
export async function saveMoves(
  deps: Pick<TransitionDeps, 'publish' | 'clock' | 'log' | 'metrics'>,
  tx: Sql,
  locked: LockedModel,
  decision: StageDecision & { kind: 'changed' },
  context: MoveContext,
): Promise<{ generation: number }> {
  const now = deps.clock()
  const generation = decision.serving?.generation ?? locked.serving.generation
  await saveStages(tx, locked.row.id, decision.changes, now)
  await touchModel(tx, locked.row.id, now)
  await recordMoves(deps, tx, locked, decision, context, now)
  if (decision.promotion) await recordPromotion(deps, tx, locked, decision.promotion, generation, context, now)
  if (decision.serving) await publishServing(deps, tx, locked.row, decision.serving, now)
  return { generation }
}

async function recordMoves(
  deps: Pick<TransitionDeps, 'publish' | 'log' | 'metrics'>,
  tx: Sql,
  { row }: LockedModel,
  decision: StageDecision & { kind: 'changed' },
  context: MoveContext,
  now: Date,
): Promise<void> {
  const { actor, reason, action, decisionId, skippedGates } = context
  const moves = deps.metrics.counter('registry_stage_changes_total', 'Versions moved to a stage.', ['to'])
  for (const { version, from, to } of decision.changes) {
    const promoted = decision.promotion?.version === version ? { decisionId, skippedGates, generation: decision.serving?.generation } : {}
    await appendAudit(tx, actor, now, { action, model: row.name, modelId: row.id, version, from, to, reason, details: promoted })
    const data = { model: row.name, version: String(version), from, to, reason, changedBy: actor.user }
    await deps.publish(tx, { definition: modelVersionStageChanged, subject: row.name, data })
    moves.add({ to })
    deps.log.info('version moved to a stage', { model: row.name, version, from, to, by: actor.user, requestId: actor.requestId })
  }
}

async function recordPromotion(
  deps: Pick<TransitionDeps, 'publish'>,
  tx: Sql,
  { row }: LockedModel,
  promotion: Promotion,
  generation: number,
  context: MoveContext,
  now: Date,
): Promise<void> {
  await savePromotion(tx, row.id, promotion, now)
  const version = await findVersionRow(tx, row.name, promotion.version)
  const { artifact, run_id: runId } = requireServable(version, row.name, promotion.version)
  const data = {
    model: row.name,
    version: String(promotion.version),
    previousVersion: promotion.previousVersion === null ? null : String(promotion.previousVersion),
    generation,
    artifact,
    runId: runId || null,
    decisionId: context.decisionId,
    reason: context.reason,
    promotedBy: context.actor.user,
    skippedGates: [...context.skippedGates],
  }
  await deps.publish(tx, { definition: promotion.kind === 'promoted' ? modelPromoted : modelRolledBack, subject: row.name, data })
}

function requireServable(version: VersionRow | null, model: string, number: number): VersionRow & { artifact: NonNullable<VersionRow['artifact']> } {
  if (!version?.artifact) throw new Error(`version ${number} of ${model} was promoted without a sealed artifact`)
  return { ...version, artifact: version.artifact }
}
