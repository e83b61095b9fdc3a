import { type Stage, stages } from '@millrace/contracts/http/registry.ts'
import { findVersion, type Model, type Refusal, refuse, refuseStale, refuseUnservable, type Serving, type Version, versionNotFound } from './model.ts'
import { nextServing } from './serving.ts'

export interface StageChange {
  readonly version: number
  readonly from: Stage
  readonly to: Stage
}

/** A version that becomes Production. */
export interface Promotion {
  readonly version: number
  /** Production until now. */
  readonly previousVersion: number | null
  /** `rolled-back`: an earlier version than the one that served last. */
  readonly kind: 'promoted' | 'rolled-back'
  readonly predecessor: number | null
}

export type StageDecision =
  | { kind: 'changed'; changes: readonly StageChange[]; promotion: Promotion | null; serving: Serving | null }
  | { kind: 'unchanged' }
  | Refusal

export interface StageRequest {
  readonly version: number
  readonly to: Stage
  /** Moves every other version of the target stage to Archived. Promoting does so whatever this says. */
  readonly archiveExisting: boolean
  readonly expectedGeneration: number | null
}

/** The canonical spelling of a stage given in any case, or null. */
export const parseStage = (text: string): Stage | null => stages.find((stage) => stage.toLowerCase() === text.toLowerCase()) ?? null

export const unknownStage = (text: string): Refusal =>
  refuse('INVALID_PARAMETER_VALUE', `Invalid Model Version stage: ${text}. Value must be one of ${stages.join(', ')}.`)

/**
 * Moves one version to a stage. Promoting archives the Production version before it, so that a model never has two, and ends the rollout in progress.
 * `expectedGeneration` is what the caller decided on; a model that moved on since then refuses.
 */
export function decideStage(model: Model, request: StageRequest): StageDecision {
  const current = findVersion(model, request.version)
  if (!current) return versionNotFound(model.name, request.version)
  const refusal = refuseStale(model, request.expectedGeneration) ?? refuseArchiving(request) ?? refuseServing(model, current, request.to)
  if (refusal) return refusal

  const changes = [...archived(model, request), ...(current.stage === request.to ? [] : [{ version: current.version, from: current.stage, to: request.to }])]
  if (changes.length === 0) return { kind: 'unchanged' }
  const promotes = request.to === 'Production' && current.stage !== 'Production'
  return { kind: 'changed', changes, promotion: promotes ? promotionOf(model, current) : null, serving: servingAfter(model.serving, changes) }
}

function refuseArchiving(request: StageRequest): Refusal | null {
  if (!request.archiveExisting || request.to === 'Staging' || request.to === 'Production') return null
  return refuse(
    'INVALID_PARAMETER_VALUE',
    `Model version transition cannot archive existing model versions because '${request.to}' is not an Active stage. Valid stages are Staging, Production.`,
  )
}

const refuseServing = (model: Model, version: Version, to: Stage): Refusal | null => (to === 'Production' ? refuseUnservable(model.name, version) : null)

function archived(model: Model, request: StageRequest): StageChange[] {
  if (!request.archiveExisting && request.to !== 'Production') return []
  return model.versions
    .filter((other) => other.stage === request.to && other.version !== request.version)
    .map((other) => ({ version: other.version, from: other.stage, to: 'Archived' }))
}

/** Follows the moves: Staging leaves a candidate where it is, every other stage takes it out; a change of Production ends the rollout. */
function servingAfter(serving: Serving, changes: readonly StageChange[]): Serving | null {
  const promoted = changes.find((change) => change.to === 'Production')
  const demoted = changes.some((change) => change.version === serving.production && change.to !== 'Production')
  const production = promoted ? promoted.version : demoted ? null : serving.production
  if (production !== serving.production) return nextServing(serving, production, [], '')
  const left = new Set(changes.filter((change) => change.to !== 'Staging').map((change) => change.version))
  return nextServing(
    serving,
    production,
    serving.candidates.filter((candidate) => !left.has(candidate.version)),
    serving.salt ?? '',
  )
}

function promotionOf(model: Model, version: Version): Promotion {
  const served = lastServed(model, version.version)
  const kind = served !== null && served > version.version ? 'rolled-back' : 'promoted'
  // Going back must not make the version that was left the way back from here: a second rollback goes further back, not forward again.
  const predecessor = kind === 'rolled-back' && version.promotedAt !== null ? version.predecessor : served
  return { version: version.version, previousVersion: model.serving.production, kind, predecessor }
}

/** The Production version, or the one that was it last. */
function lastServed(model: Model, besides: number): number | null {
  if (model.serving.production !== null) return model.serving.production
  const before = model.versions.filter((version) => version.promotedAt !== null && version.version !== besides)
  return before.reduce<Version | null>((latest, version) => ((version.promotedAt ?? 0) > (latest?.promotedAt ?? -1) ? version : latest), null)?.version ?? null
}
