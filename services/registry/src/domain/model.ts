import type { Stage } from '@millrace/contracts/http/registry.ts'

export type VersionStatus = 'PENDING_REGISTRATION' | 'READY' | 'FAILED_REGISTRATION'

/** What the decisions need to know of a version. */
export interface Version {
  readonly version: number
  readonly stage: Stage
  readonly status: VersionStatus
  readonly statusMessage: string
  readonly servable: boolean
  readonly unservableReason: string | null
  /** When it last became Production, in milliseconds since the epoch. */
  readonly promotedAt: number | null
  /** The Production version before it when it first took over: where a rollback from it leads. */
  readonly predecessor: number | null
}

export const candidateModes = ['staging', 'canary', 'ab', 'shadow'] as const
export type CandidateMode = (typeof candidateModes)[number]

export interface Candidate {
  readonly version: number
  readonly mode: CandidateMode
  /** Share of the traffic in percent, or of the mirrored traffic where the mode is `shadow`. */
  readonly weightPercent: number
}

/** What a model serves. The generation only ever grows: it outlives the deletion and the renaming of the model. */
export interface Serving {
  readonly generation: number
  /** Input of the traffic split: set when the first candidate joins, kept until none is left. */
  readonly salt: string | null
  readonly production: number | null
  readonly candidates: readonly Candidate[]
}

/** A registered model with its versions (deleted ones left out) and what pods serve of it. */
export interface Model {
  readonly name: string
  readonly versions: readonly Version[]
  readonly serving: Serving
}

export interface Refusal {
  readonly kind: 'refused'
  readonly code: 'RESOURCE_DOES_NOT_EXIST' | 'STALE_GENERATION' | 'INVALID_PARAMETER_VALUE'
  readonly message: string
}

export const refuse = (code: Refusal['code'], message: string): Refusal => ({ kind: 'refused', code, message })

export const nothingServed: Serving = { generation: 0, salt: null, production: null, candidates: [] }

export const findVersion = (model: Model, version: number): Version | undefined => model.versions.find((candidate) => candidate.version === version)

export const versionNotFound = (model: string, version: number | string): Refusal =>
  refuse('RESOURCE_DOES_NOT_EXIST', `Model Version (name=${model}, version=${version}) not found`)

/** A decision that was made on another generation than the present one is refused; null lets it pass. */
export function refuseStale(model: Model, expectedGeneration: number | null): Refusal | null {
  const { generation } = model.serving
  if (expectedGeneration === null || expectedGeneration === generation) return null
  return refuse(
    'STALE_GENERATION',
    `Model '${model.name}' is at generation ${generation}, the decision was made on ${expectedGeneration}: read it again and decide anew`,
  )
}

/** Why a version cannot serve, with the way out; null where it can. */
export function refuseUnservable(model: string, version: Version): Refusal | null {
  if (version.servable) return null
  return refuse('INVALID_PARAMETER_VALUE', `Model Version (name=${model}, version=${version.version}) cannot be served: ${whyUnservable(version)}`)
}

function whyUnservable(version: Version): string {
  switch (version.status) {
    case 'PENDING_REGISTRATION':
      return 'its registration has not finished yet. Wait until its status is READY and try again.'
    case 'FAILED_REGISTRATION':
      return `its registration failed (${version.statusMessage}). Create a new version from artifacts that exist.`
    case 'READY':
      return version.unservableReason ?? 'its artifact does not say how.'
  }
}
