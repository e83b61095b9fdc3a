import {
  type AnnouncedServingSettings,
  type Redaction,
  redactions,
  type ServingPriority,
  servingPriorities,
} from '@millrace/contracts/model/serving-settings.ts'

/** How a model is served in this pod: what was set for it, and the pod's own settings for the rest. */
export interface ModelSettings {
  readonly maxBatchRows: number
  readonly maxQueueRows: number
  readonly maxQueueDelayMs: number
  readonly priority: ServingPriority
  /** Threads that run the model at most. */
  readonly threads: number
  /** Null: by the size of the model. */
  readonly intraOpThreads: number | null
  readonly keepPreviousMs: number
  readonly cache: CacheSettings
  readonly log: LogSettings
}

export interface CacheSettings {
  /** 0: no answer is reused. */
  readonly ttlMs: number
  readonly maxEntries: number
  readonly maxBytes: number
}

export interface LogSettings {
  readonly sampleRate: number
  readonly maxFeatures: number
  readonly maxBytes: number
  readonly redact: ReadonlyMap<string, Redaction>
}

const QUEUED_BATCHES = 8

/** What was set for the model over what the pod is set up with. A redaction or priority that this pod does not know counts as `drop` and `normal`. */
export function resolveSettings(announced: AnnouncedServingSettings | undefined, defaults: ModelSettings): ModelSettings {
  const { cache = {}, log = {}, ...own } = announced ?? {}
  const maxBatchRows = own.maxBatchRows ?? defaults.maxBatchRows
  return {
    maxBatchRows,
    maxQueueRows: own.maxQueueRows ?? QUEUED_BATCHES * maxBatchRows,
    maxQueueDelayMs: own.maxQueueDelayMs ?? defaults.maxQueueDelayMs,
    priority: servingPriorities.find((known) => known === own.priority) ?? defaults.priority,
    threads: own.threads ?? defaults.threads,
    intraOpThreads: own.intraOpThreads ?? defaults.intraOpThreads,
    keepPreviousMs: own.keepPreviousMinutes === undefined ? defaults.keepPreviousMs : own.keepPreviousMinutes * 60_000,
    cache: {
      ttlMs: cache.off ? 0 : cache.ttlSeconds === undefined ? defaults.cache.ttlMs : cache.ttlSeconds * 1000,
      maxEntries: cache.maxEntries ?? defaults.cache.maxEntries,
      maxBytes: cache.maxBytes ?? defaults.cache.maxBytes,
    },
    log: {
      sampleRate: log.sampleRate ?? defaults.log.sampleRate,
      maxFeatures: log.maxFeatures ?? defaults.log.maxFeatures,
      maxBytes: log.maxBytes ?? defaults.log.maxBytes,
      redact: new Map(Object.entries(log.redact ?? {}).map(([name, action]) => [name, redactions.find((known) => known === action) ?? 'drop'])),
    },
  }
}

const LARGE_BYTES = 100 * 1024 ** 2

/** Threads within one operator: a large model is worth more than one, a small one loses by it. */
export const intraOpThreadsFor = ({ intraOpThreads }: ModelSettings, modelBytes: number, cores: number): number =>
  intraOpThreads ?? (modelBytes >= LARGE_BYTES ? Math.max(1, Math.floor(cores / 2)) : 1)
