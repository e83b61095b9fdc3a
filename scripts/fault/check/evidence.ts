/** What a client asked for and what it was told. A call without an answer is `unknown`: it may have been carried out. */
export interface WriteRecord {
  readonly kind: 'write'
  /** Names the effect as the databases name it, such as `run/<id>` or `version/<model>/<number>`. */
  readonly key: string
  readonly outcome: 'acked' | 'refused' | 'unknown'
  readonly atMs: number
}

export interface PredictionRecord {
  readonly kind: 'prediction'
  readonly model: string
  /** Null where a gateway chose the pod. */
  readonly pod: string | null
  /** Of the HTTP answer; 0 where there was none. */
  readonly status: number
  readonly version: string
  readonly generation: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly beganMs: number
  readonly endedMs: number
}

/** One line of a client's history. */
export type ClientRecord = WriteRecord | PredictionRecord

export interface OutboxRow {
  readonly service: string
  readonly seq: number
  readonly id: string
  readonly type: string
  readonly topic: string
  readonly key: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface TopicRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  /** Null where the record is no event that can be read. */
  readonly id: string | null
  readonly source: string
  readonly type: string
  /** Order of the writer's commits; null where the writer has no outbox. */
  readonly sequence: number | null
  /** When it happened, as the event says; 0 where it cannot be read. */
  readonly timeMs: number
  readonly data: Readonly<Record<string, unknown>>
}

/** A pod began to answer with a version. */
export interface Activation {
  readonly pod: string
  readonly incarnation: string
  readonly model: string
  readonly version: string
  readonly generation: number
  readonly digest: string
  readonly atMs: number
}

/** What a pod says that it serves. */
export interface Served {
  readonly pod: string
  readonly model: string
  readonly version: string
  readonly generation: number
}

export interface Decision {
  readonly decisionId: string
  readonly model: string
  readonly version: string
  readonly policyVersion: number
}

/** A version as the registry sealed it, with a function that answers as it must. */
export interface KnownVersion {
  readonly model: string
  readonly version: string
  readonly digest: string
  readonly answer: (input: readonly number[]) => readonly number[]
}

/** All that a run of faults leaves behind. */
export interface Evidence {
  readonly client: readonly ClientRecord[]
  /** Everything that the databases hold, under the keys of the client's history. */
  readonly stored: ReadonlySet<string>
  readonly outbox: readonly OutboxRow[]
  /** Full dumps, in the order of the log; dead letters apart. */
  readonly topics: readonly TopicRecord[]
  /** How many versions of each model stood in Production, looked at again and again while faults went on, and at the end. */
  readonly productionCounts: readonly { readonly model: string; readonly count: number }[]
  readonly registry: readonly { readonly model: string; readonly generation: number; readonly version: string | null }[]
  readonly decisions: readonly Decision[]
  /** Moves to Production, by the decision that they carried out. */
  readonly promotions: readonly { readonly decisionId: string; readonly model: string; readonly version: string }[]
  readonly activations: readonly Activation[]
  /** Asked at the end, of the pods that live. */
  readonly served: readonly Served[]
  readonly versions: readonly KnownVersion[]
  readonly memory: readonly { readonly pod: string; readonly beforeBytes: number; readonly afterBytes: number }[]
  /** Names of the bad records that the test put on the log, and of those that the dead-letter topics hold. */
  readonly poison: readonly string[]
  readonly deadLetters: readonly string[]
}

export const noEvidence: Evidence = {
  ...{ client: [], stored: new Set<string>(), outbox: [], topics: [], productionCounts: [], registry: [], decisions: [], promotions: [] },
  ...{ activations: [], served: [], versions: [], memory: [], poison: [], deadLetters: [] },
}

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9'

export interface Violation {
  readonly invariant: Invariant
  readonly message: string
}

export const violation = (invariant: Invariant, message: string): Violation => ({ invariant, message })
