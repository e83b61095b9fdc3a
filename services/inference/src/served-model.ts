import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import type { ArmPlan, PlannedArm } from './domain/serving-plan.ts'
import type { LoadedVersion } from './loaded-version.ts'

/** An arm with the version that answers in it. */
export interface ServedArm {
  readonly arm: PlannedArm
  readonly loaded: LoadedVersion
}

/** What a request sees of a model: one immutable value, replaced as a whole at a swap. */
export interface ServedModel {
  readonly model: string
  readonly salt: string | null
  readonly production: ServedArm | null
  readonly candidates: readonly ServedArm[]
  /** The newest record, whether or not it is applied already. */
  readonly state: ServingState
}

/** All arms of a model, Production first. */
export const servedArms = ({ production, candidates }: ServedModel): ServedArm[] => [...(production ? [production] : []), ...candidates]

/** The arms of a plan whose versions are in memory. */
export function bindArms(state: ServingState, plan: ArmPlan, versions: ReadonlyMap<string, LoadedVersion>): ServedModel {
  const bind = (arm: PlannedArm): ServedArm[] => {
    const loaded = versions.get(arm.key)
    return loaded ? [{ arm, loaded }] : []
  }
  const [production = null] = plan.production ? bind(plan.production) : []
  return { model: state.model, salt: plan.salt, production, candidates: plan.candidates.flatMap(bind), state }
}

export function sameBinding(one: ServedModel, other: ServedModel): boolean {
  const [arms, others] = [servedArms(one), servedArms(other)]
  return arms.length === others.length && arms.every(({ loaded }, index) => loaded === others[index]?.loaded)
}
