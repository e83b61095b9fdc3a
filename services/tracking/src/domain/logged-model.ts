import type { KeyValue } from './batch.ts'
import type { Lifecycle } from './run.ts'

export const loggedModelStatuses = ['LOGGED_MODEL_STATUS_UNSPECIFIED', 'LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'] as const
export type LoggedModelStatus = (typeof loggedModelStatuses)[number]

export interface LoggedModel {
  readonly modelId: string
  readonly experimentId: number
  readonly name: string
  readonly modelType: string
  readonly sourceRunId: string
  readonly status: LoggedModelStatus
  readonly statusMessage: string
  readonly artifactUri: string
  /** Ms since the epoch. */
  readonly creationTime: number
  readonly lastUpdateTime: number
  readonly lifecycle: Lifecycle
  readonly tags: readonly KeyValue[]
  readonly params: readonly KeyValue[]
}

const FORBIDDEN = /[/:.%"']/

/** Why a name is refused; null where it is fine. */
export function refuseLoggedModelName(name: string): string | null {
  if (name === '') return 'Model name cannot be empty.'
  return FORBIDDEN.test(name) ? `Invalid model name '${name}'. Names cannot contain '/', ':', '.', '%', '"' or "'".` : null
}

export const noLoggedModel = (modelId: string): string => `Logged model with ID '${modelId}' not found.`

/** The tag where client and server both note what a model was registered as, each in its own way: names and versions as numbers or as text. */
export const REGISTRATIONS_TAG = 'mlflow.modelVersions'

/** The same registrations as a set of (name, version as text); a value that is not such a list stays as it is. */
export function normalizeRegistrations(value: string): string {
  const entries = parseRegistrations(value)
  return entries === null ? value : JSON.stringify(entries)
}

export function parseRegistrations(value: string): { name: string; version: string }[] | null {
  let list: unknown
  try {
    list = JSON.parse(value)
  } catch {
    return null
  }
  if (!Array.isArray(list)) return null
  const unique = new Map<string, { name: string; version: string }>()
  for (const item of list) {
    if (typeof item !== 'object' || item === null || !('name' in item) || !('version' in item)) return null
    const entry = { name: String(item.name), version: String(item.version) }
    unique.set(JSON.stringify(entry), entry)
  }
  return [...unique.values()]
}
