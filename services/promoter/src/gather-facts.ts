import { type ModelOverview, modelOverview, type VersionDetail, versionDetail } from '@millrace/contracts/http/registry.ts'
import { type Challenger, canBeRunOnData, compareStored, compareWithChampion } from './compare-with-champion.ts'
import type { PromoterDeps } from './deps.ts'
import type { Decision } from './domain/decision.ts'
import type { Facts } from './domain/gates.ts'
import { metricsOf, orNull, readManifest, readRun } from './evidence.ts'
import type { MeasureModel } from './measure-model.ts'

/** What a decision can be made on. */
export type Conclusive =
  | { kind: 'facts'; facts: Facts; generation: number; championVersion: string | null }
  /** There is nothing left to decide. */
  | { kind: 'pass-over'; reason: string }
  | { kind: 'unjudgeable'; reason: string }

/** `wait`: the trainer has not finished comparing. */
export type Gathered = Conclusive | { kind: 'wait' }

export type GatherDeps = Pick<PromoterDeps, 'registry' | 'tracking' | 'trainer' | 'blobs'> & { readonly measure: MeasureModel }

const modelPath = (model: string): string => `/api/v1/models/${encodeURIComponent(model)}`

export const readOverview = (deps: Pick<PromoterDeps, 'registry'>, model: string, signal: AbortSignal): Promise<ModelOverview | null> =>
  orNull(deps.registry.call({ method: 'GET', path: modelPath(model), response: modelOverview, signal }))

export const readVersion = (deps: Pick<GatherDeps, 'registry'>, model: string, version: string, signal: AbortSignal): Promise<VersionDetail | null> =>
  orNull(deps.registry.call({ method: 'GET', path: `${modelPath(model)}/versions/${encodeURIComponent(version)}`, response: versionDetail, signal }))

/** Asks everybody what the gates need to know. The generation is read first, so that a change while this goes on is noticed at the promotion. */
export async function gatherFacts(deps: GatherDeps, decision: Decision, signal: AbortSignal): Promise<Gathered> {
  const { model, version } = decision
  const overview = await readOverview(deps, model, signal)
  const detail = overview && (await readVersion(deps, model, version, signal))
  if (!overview || !detail) return { kind: 'pass-over', reason: 'The version is no longer there' }
  const production = overview.production?.version ?? null
  if (production === version) return { kind: 'pass-over', reason: 'The version is in Production already: somebody moved it there' }
  if (production !== null && Number(production) > Number(version)) {
    return { kind: 'pass-over', reason: `Version ${production}, which is newer, went to Production meanwhile` }
  }
  if (!detail.servable || !detail.artifact)
    return { kind: 'unjudgeable', reason: `Cannot be served: ${detail.unservableReason ?? 'it has no sealed artifact'}` }
  const champion = production === null ? null : await readVersion(deps, model, production, signal)
  const run = await readRun(deps, detail.runId, signal)
  const files = await readManifest(deps, detail.artifact)
  const challenger = { decisionId: decision.decisionId, artifact: detail.artifact, files, run }
  const evaluations = await evaluationsFor(deps, decision, challenger, champion, signal)
  if (evaluations === null) return { kind: 'wait' }
  const measured = await deps.measure(files, signal)
  const facts: Facts = {
    metrics: metricsOf(run),
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    signature: detail.signature,
    champion: champion && { version: champion.version, signature: champion.signature },
    evaluations,
    ...measured,
  }
  return { kind: 'facts', facts, generation: overview.generation, championVersion: production }
}

async function evaluationsFor(
  deps: GatherDeps,
  decision: Decision,
  challenger: Challenger,
  champion: VersionDetail | null,
  signal: AbortSignal,
): Promise<Facts['evaluations'] | null> {
  if (!decision.policy.champion || !champion) return { kind: 'missing', reason: 'not asked for' }
  if (!champion.artifact) return { kind: 'missing', reason: `version ${champion.version} has no sealed artifact` }
  const files = await readManifest(deps, champion.artifact)
  if (canBeRunOnData(challenger.files) && canBeRunOnData(files)) return compareWithChampion(deps, challenger, champion.artifact, signal)
  return compareStored(deps, challenger, { files, run: await readRun(deps, champion.runId, signal) }, signal)
}
