import { decideStage, type StageDecision } from './decide-stage.ts'
import { findVersion, type Model, type Refusal, refuse, refuseStale, versionNotFound } from './model.ts'

/**
 * Promotes `version` again, or the version that was Production before the present one. Only what was Production once can come back this way: anything
 * else would be a promotion without gates.
 */
export function decideRollback(model: Model, version: number | null, expectedGeneration: number | null): { target: number; decision: StageDecision } | Refusal {
  const stale = refuseStale(model, expectedGeneration)
  if (stale) return stale
  const target = version ?? earlierProduction(model)
  if (typeof target !== 'number') return target
  const refusal = refuseTarget(model, target)
  if (refusal) return refusal
  return { target, decision: decideStage(model, { version: target, to: 'Production', archiveExisting: true, expectedGeneration }) }
}

function refuseTarget(model: Model, target: number): Refusal | null {
  const found = findVersion(model, target)
  if (!found) return versionNotFound(model.name, target)
  if (found.stage === 'Production') return refuse('INVALID_PARAMETER_VALUE', `Version ${target} of model '${model.name}' is in Production already`)
  if (found.promotedAt !== null) return null
  const message = `Version ${target} of model '${model.name}' was never in Production, so there is no going back to it: promote it instead`
  return refuse('INVALID_PARAMETER_VALUE', message)
}

function earlierProduction(model: Model): number | Refusal {
  const { production } = model.serving
  if (production === null) {
    return refuse('INVALID_PARAMETER_VALUE', `Model '${model.name}' has nothing in Production to roll back from: name the version to bring back`)
  }
  const seen = new Set<number>([production])
  for (let at = findVersion(model, production)?.predecessor ?? null; at !== null && !seen.has(at); ) {
    const earlier = findVersion(model, at)
    if (earlier?.servable) return at
    seen.add(at)
    at = earlier?.predecessor ?? null
  }
  return refuse('INVALID_PARAMETER_VALUE', `Model '${model.name}' has no Production version before ${production}: name the version to bring back`)
}
