import type { Candidate, Serving } from './model.ts'

/**
 * The serving state with this Production version and these candidates, one generation on, or null where pods would see no difference.
 * `newSalt` is used only when the first candidate joins.
 */
export function nextServing(current: Serving, production: number | null, candidates: readonly Candidate[], newSalt: string): Serving | null {
  const ordered = [...candidates].sort((a, b) => a.version - b.version)
  if (production === current.production && sameCandidates(ordered, current.candidates)) return null
  const salt = ordered.length === 0 ? null : (current.salt ?? newSalt)
  return { generation: current.generation + 1, salt, production, candidates: ordered }
}

function sameCandidates(left: readonly Candidate[], right: readonly Candidate[]): boolean {
  if (left.length !== right.length) return false
  return left.every((candidate, index) => {
    const other = right[index]
    return other?.version === candidate.version && other.mode === candidate.mode && other.weightPercent === candidate.weightPercent
  })
}

/** After `version` was deleted. A candidate leaves alone; with the Production version the rollout ends too. */
export function servingWithout(current: Serving, version: number): Serving | null {
  if (current.production === version) return nextServing(current, null, [], '')
  const remaining = current.candidates.filter((candidate) => candidate.version !== version)
  return nextServing(current, current.production, remaining, current.salt ?? '')
}

/** After the model is gone: nothing to serve, one generation on, so that pods let go of it. */
export const servingNothing = (current: Serving): Serving | null => nextServing(current, null, [], '')

/** A renamed model under its new name: what it served, on top of whatever generation that name had before. */
export function servingRenamed(moved: Serving, present: Serving): Serving | null {
  return nextServing(present, moved.production, moved.candidates, moved.salt ?? '')
}
