import { type Candidate, findVersion, type Model, type Refusal, refuse, refuseStale, refuseUnservable, type Serving, versionNotFound } from './model.ts'
import { nextServing } from './serving.ts'

export type RolloutDecision = { kind: 'changed'; serving: Serving } | { kind: 'unchanged' } | Refusal

/**
 * Replaces the candidates beside the Production version. At most one canary and one ab candidate, which together take at most 100 % of the traffic;
 * staging takes none. `newSalt` seeds the traffic split when the first candidate joins.
 */
export function decideRollout(model: Model, candidates: readonly Candidate[], expectedGeneration: number | null, newSalt: string): RolloutDecision {
  const refusal =
    refuseStale(model, expectedGeneration) ?? refuseSet(model, candidates) ?? firstRefusal(candidates, (candidate) => refuseCandidate(model, candidate))
  if (refusal) return refusal
  const serving = nextServing(model.serving, model.serving.production, candidates, newSalt)
  return serving ? { kind: 'changed', serving } : { kind: 'unchanged' }
}

const invalid = (message: string): Refusal => refuse('INVALID_PARAMETER_VALUE', message)

function firstRefusal(candidates: readonly Candidate[], check: (candidate: Candidate) => Refusal | null): Refusal | null {
  for (const candidate of candidates) {
    const refusal = check(candidate)
    if (refusal) return refusal
  }
  return null
}

function refuseSet(model: Model, candidates: readonly Candidate[]): Refusal | null {
  const versions = candidates.map((candidate) => candidate.version)
  const twice = versions.find((version, index) => versions.indexOf(version) !== index)
  if (twice !== undefined) return invalid(`Version ${twice} is named twice: a version is a candidate once`)
  for (const mode of ['canary', 'ab'] as const) {
    const count = candidates.filter((candidate) => candidate.mode === mode).length
    if (count > 1) return invalid(`There are ${count} candidates with mode '${mode}': at most one is allowed`)
  }
  const share = splitShare(candidates)
  if (share > 100) return invalid(`The canary and ab candidates take ${share} % of the traffic together: at most 100 % is there`)
  if (model.serving.production === null && candidates.some((candidate) => candidate.mode !== 'staging')) {
    return invalid(`Model '${model.name}' has no Production version to share traffic with: only mode 'staging' is possible until one is promoted`)
  }
  return null
}

/** Percent of the traffic that candidates take away from Production. */
export const splitShare = (candidates: readonly Candidate[]): number =>
  candidates.filter((candidate) => candidate.mode === 'canary' || candidate.mode === 'ab').reduce((sum, candidate) => sum + candidate.weightPercent, 0)

function refuseCandidate(model: Model, candidate: Candidate): Refusal | null {
  const version = findVersion(model, candidate.version)
  if (!version) return versionNotFound(model.name, candidate.version)
  if (candidate.version === model.serving.production) return invalid(`Version ${candidate.version} is in Production: it cannot be a candidate beside itself`)
  if (version.stage === 'Archived') return invalid(`Version ${candidate.version} is Archived: move it to Staging or None before it becomes a candidate`)
  if (!(candidate.weightPercent >= 0 && candidate.weightPercent <= 100)) return invalid(`weightPercent of version ${candidate.version} must be from 0 to 100`)
  if (candidate.mode === 'staging' && candidate.weightPercent !== 0) {
    return invalid(`Version ${candidate.version}: a staging candidate has no share of the traffic, so its weightPercent must be 0`)
  }
  return refuseUnservable(model.name, version)
}
