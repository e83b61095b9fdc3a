import { z } from 'zod'
import { type DataOf, defineEvent } from './event.ts'
import { sha256, timestamp } from './fields.ts'

const topic = 'millrace.serving-events.v1'
const arm = z.string().meta({ 'x-known-values': ['production', 'canary', 'ab', 'shadow', 'staging', 'pinned'] })
const served = { pod: z.string(), incarnation: z.string(), model: z.string(), version: z.string(), generation: z.int().positive(), digest: sha256 }

export const servingActivated = defineEvent({
  name: 'ServingActivated',
  type: 'io.millrace.serving.activated.v1',
  minor: 0,
  topic,
  description: 'A pod answers with this version now.',
  data: z.looseObject({
    ...served,
    arm,
    loadMs: z.number().nonnegative(),
    warmUpMs: z.number().nonnegative(),
    /** From the registry's commit to the swap. */
    sinceChangedMs: z.number(),
  }),
})
export type ServingActivated = DataOf<typeof servingActivated>

export const servingLoadFailed = defineEvent({
  name: 'ServingLoadFailed',
  type: 'io.millrace.serving.loadfailed.v1',
  minor: 0,
  topic,
  description: 'A pod could not load a version; what it served before it still serves.',
  data: z.looseObject({
    ...served,
    arm,
    kind: z.string().meta({ 'x-known-values': ['deterministic', 'transient'] }),
    stage: z.string().meta({ 'x-known-values': ['fetch', 'verify', 'probe', 'open', 'signature', 'warm-up', 'memory'] }),
    message: z.string(),
  }),
})
export type ServingLoadFailed = DataOf<typeof servingLoadFailed>

export const servingObserved = defineEvent({
  name: 'ServingObserved',
  type: 'io.millrace.serving.observed.v1',
  minor: 0,
  topic,
  description: 'Exact counts of one pod for one arm and window. Idempotent per (incarnation, model, version, arm, window).',
  data: z.looseObject({
    ...served,
    arm,
    windowStart: timestamp,
    windowEnd: timestamp,
    requests: z.int().nonnegative(),
    failures: z.int().nonnegative(),
    /** Upper edges in seconds and cumulative counts of the latency histogram. */
    latencyEdges: z.array(z.number()),
    latencyCounts: z.array(z.int().nonnegative()),
  }),
})

export const inferenceLogged = defineEvent({
  name: 'InferenceLogged',
  type: 'io.millrace.inference.logged.v1',
  minor: 1,
  topic: 'millrace.inference-log.v1',
  description: 'A sampled prediction. Droppable: counts of truth travel in ServingObserved.',
  data: z.looseObject({
    predictionId: z.string(),
    pod: z.string(),
    model: z.string(),
    version: z.string(),
    generation: z.int().positive(),
    arm,
    /** Share of requests that are logged, 0..1. */
    sampleRate: z.number(),
    cached: z.boolean(),
    latencyMs: z.number(),
    predictedClass: z.string().nullable(),
    confidence: z.number().nullable(),
    /** Feature values by the names of the reference profile; null = missing. */
    features: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
    /** What the model answered, where it fits; `data` is row-major and flat, null for what is no number. */
    outputs: z.array(z.looseObject({ name: z.string(), shape: z.array(z.int()), data: z.array(z.union([z.number(), z.string(), z.null()])) })).optional(),
    /** Whether features or outputs were left out for their size. */
    capped: z.boolean().optional(),
    predictedAt: timestamp,
  }),
})
export type InferenceLogged = DataOf<typeof inferenceLogged>
