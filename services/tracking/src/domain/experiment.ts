import type { KeyValue } from './batch.ts'
import type { Lifecycle } from './run.ts'

export interface Experiment {
  readonly experimentId: number
  readonly name: string
  readonly artifactLocation: string
  readonly lifecycle: Lifecycle
  /** Ms since the epoch. */
  readonly creationTime: number
  readonly lastUpdateTime: number
  readonly tags: readonly KeyValue[]
}

/** Reads an id as it travels; null for text that is no integer. An id beyond what is ever handed out is -1: it exists nowhere. */
export function parseExperimentId(text: string): number | null {
  if (!/^\d{1,64}$/.test(text)) return null
  const id = Number(text)
  return Number.isSafeInteger(id) ? id : -1
}

export const invalidExperimentId = (text: string): string => `Invalid experiment ID '${text}'. Experiment ID must be a valid integer.`
export const noExperiment = (id: string | number): string => `No Experiment with id=${id} exists`
