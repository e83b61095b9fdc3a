import { z } from 'zod'

/** What becomes of a feature before it leaves the pod: `drop` leaves it out, `hash` gives a keyed digest, `truncate` its first characters or leading digits. */
export const redactions = ['drop', 'hash', 'truncate'] as const
export type Redaction = (typeof redactions)[number]

export const servingPriorities = ['high', 'normal', 'low'] as const
export type ServingPriority = (typeof servingPriorities)[number]

const amounts = {
  /** Rows that run together at most. */
  maxBatchRows: z.int().min(1).max(4096).optional(),
  /** Rows that wait at most; beyond that requests are refused with 503. */
  maxQueueRows: z.int().min(1).max(1_000_000).optional(),
  /** How long a batch that is not full waits for company; 0: an idle thread takes what is there at once. */
  maxQueueDelayMs: z.number().min(0).max(10_000).optional(),
  /** Threads that run the model at most; the first is always there, others come with load. */
  threads: z.int().min(1).max(64).optional(),
  /** Threads within one operator: above 1 pays for large models only. */
  intraOpThreads: z.int().min(1).max(64).optional(),
  /** How long the Production version that was replaced stays in memory, for a rollback without a load. */
  keepPreviousMinutes: z.number().min(0).max(1440).optional(),
}

const cacheAmounts = {
  /** No answer is ever reused. */
  off: z.boolean().optional(),
  ttlSeconds: z.number().min(0).max(2_592_000).optional(),
  /** Answers, and their bytes, that each pod keeps in its own memory at most. */
  maxEntries: z.int().min(0).max(10_000_000).optional(),
  maxBytes: z.int().min(0).max(1_099_511_627_776).optional(),
}

const logAmounts = {
  /** Share of the predictions that are logged. */
  sampleRate: z.number().min(0).max(1).optional(),
  /** Features, and bytes of features and outputs, that one logged prediction holds at most. */
  maxFeatures: z.int().min(0).max(10_000).optional(),
  maxBytes: z.int().min(0).max(1_048_576).optional(),
}

const feature = z.string().min(1).max(256)

/** How a model is to be served, as a caller sets it. What is left out follows the pod's own settings. */
export const servingSettings = z.strictObject({
  ...amounts,
  priority: z.enum(servingPriorities).optional(),
  cache: z.strictObject(cacheAmounts).optional(),
  log: z.strictObject({ ...logAmounts, redact: z.record(feature, z.enum(redactions)).optional() }).optional(),
})
export type ServingSettings = z.infer<typeof servingSettings>

/** The same as pods are told it: what a newer registry adds is ignored, and a redaction that is not known counts as `drop`. */
export const announcedServingSettings = z.looseObject({
  ...amounts,
  priority: z
    .string()
    .meta({ 'x-known-values': [...servingPriorities] })
    .optional(),
  cache: z.looseObject(cacheAmounts).optional(),
  log: z.looseObject({ ...logAmounts, redact: z.record(z.string(), z.string().meta({ 'x-known-values': [...redactions] })).optional() }).optional(),
})
export type AnnouncedServingSettings = z.infer<typeof announcedServingSettings>
