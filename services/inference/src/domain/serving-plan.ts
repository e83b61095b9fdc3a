import type { Artifact } from '@millrace/contracts/events/fields.ts'
import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import type { AnnouncedServingSettings } from '@millrace/contracts/model/serving-settings.ts'

/** One version that a serving state asks for, in the arm it is to answer in. */
export interface WantedVersion {
  readonly model: string
  readonly version: string
  readonly artifact: Artifact
  readonly arm: string
  readonly weightPercent: number
  readonly signature: Signature | null
  /** How the model is to be served; none: as the pod is set up. */
  readonly settings: AnnouncedServingSettings | undefined
}

/** What one arm answers with, and since which generation. */
export interface PlannedArm {
  readonly key: string
  readonly version: string
  readonly arm: string
  readonly weightPercent: number
  readonly generation: number
}

/** What requests of a model see, replaced as a whole. */
export interface ArmPlan {
  readonly salt: string | null
  readonly production: PlannedArm | null
  readonly candidates: readonly PlannedArm[]
}

/** `unloaded`: it was there, made room for others, and is loaded again when it is asked for. */
export type LoadStatus = 'ready' | 'failed' | 'pending' | 'unloaded'

/** The fence: only a greater generation is news. */
export const isNewer = (held: ServingState | undefined, incoming: ServingState): boolean => incoming.generation > (held?.generation ?? 0)

/** A version's bytes never change, a version number may in principle be re-used: both make the identity of what is loaded. */
export const keyOf = ({ version, artifact }: { version: string; artifact: Artifact }): string => `${version}@${artifact.sha256}`

/** Whether a state asks for any version. */
export const wantsAny = ({ production, candidates }: ServingState): boolean => production !== null || candidates.length > 0

/** Every version that a state asks for, Production first. One that stands in several arms appears once for each. */
export function wantedBy(state: ServingState): WantedVersion[] {
  const { model, production, settings } = state
  const first = production ? [{ model, settings, ...pick(production), arm: 'production', weightPercent: 100, signature: production.signature }] : []
  const candidates = state.candidates.map((item) => ({ ...pick(item), arm: item.mode, weightPercent: item.weightPercent }))
  return [...first, ...candidates.map((item) => ({ model, settings, ...item, signature: null }))]
}

const pick = ({ version, artifact }: { version: string; artifact: Artifact }) => ({ version, artifact })

/**
 * What requests are to see under `state`. A Production version that is still loading keeps the whole plan that is held: one record is applied whole. One that
 * failed keeps the Production that is held, while candidates follow the record. Candidates that are not loaded are left out: their share stays with Production.
 */
export function planArms(state: ServingState, held: ArmPlan | null, statusOf: (key: string) => LoadStatus): ArmPlan {
  const isThere = (key: string): boolean => ['ready', 'unloaded'].includes(statusOf(key))
  const production = wantedBy(state).find(({ arm }) => arm === 'production')
  const status = production ? statusOf(keyOf(production)) : 'ready'
  if (status === 'pending' && held?.production) return held
  const candidates = wantedBy(state).filter((wanted) => wanted.arm !== 'production' && isThere(keyOf(wanted)))
  const kept = held?.production ?? null
  return {
    salt: state.salt,
    production: production && isThere(keyOf(production)) ? armOf(production, state.generation) : production ? kept : null,
    candidates: candidates.map((wanted) => armOf(wanted, state.generation)),
  }
}

const armOf = (wanted: WantedVersion, generation: number): PlannedArm => ({
  key: keyOf(wanted),
  version: wanted.version,
  arm: wanted.arm,
  weightPercent: wanted.weightPercent,
  generation,
})

export const armsOf = (plan: ArmPlan | null): PlannedArm[] => (plan ? [...(plan.production ? [plan.production] : []), ...plan.candidates] : [])

/** Arms that answer with another version, or under another generation, than before: each is announced. */
export function newArms(before: ArmPlan | null, after: ArmPlan): PlannedArm[] {
  const known = new Set(armsOf(before).map(signOf))
  return armsOf(after).filter((arm) => !known.has(signOf(arm)))
}

const signOf = ({ key, arm, generation }: PlannedArm): string => `${arm} ${generation} ${key}`

/** Loaded versions that neither the plan nor the wish still needs. */
export function unneeded(loaded: Iterable<string>, plan: ArmPlan | null, state: ServingState): string[] {
  const needed = new Set([...armsOf(plan).map(({ key }) => key), ...wantedBy(state).map(keyOf)])
  return [...loaded].filter((key) => !needed.has(key))
}
