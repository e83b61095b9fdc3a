import { z } from 'zod'
import { type DataOf, defineEvent } from './event.ts'
import { featureDrift, timestamp } from './fields.ts'

const topic = 'millrace.drift-events.v1'

const window = {
  alertId: z.string(),
  model: z.string(),
  version: z.string(),
  windowStart: timestamp,
  windowEnd: timestamp,
  rows: z.int().nonnegative(),
  referenceRows: z.int().nonnegative(),
}

export const driftDetected = defineEvent({
  name: 'DriftDetected',
  type: 'io.millrace.drift.detected.v1',
  minor: 0,
  topic,
  description: 'Live traffic left the reference profile for as many windows as the policy asks.',
  data: z.looseObject({
    ...window,
    severity: z.string().meta({ 'x-known-values': ['warning', 'critical'] }),
    driftedShare: z.number(),
    features: z.array(featureDrift),
  }),
})
export type DriftDetected = DataOf<typeof driftDetected>

export const driftResolved = defineEvent({
  name: 'DriftResolved',
  type: 'io.millrace.drift.resolved.v1',
  minor: 0,
  topic,
  description: 'Good windows again, or a new version with a reference of its own took over.',
  data: z.looseObject({ ...window, reason: z.string(), features: z.array(featureDrift) }),
})

export const performanceDegraded = defineEvent({
  name: 'PerformanceDegraded',
  type: 'io.millrace.performance.degraded.v1',
  minor: 0,
  topic,
  description: 'Labels that arrived show a quality below the limit.',
  data: z.looseObject({ ...window, metric: z.string(), value: z.number(), limit: z.number(), labelledRows: z.int().nonnegative() }),
})

export const labelReceived = defineEvent({
  name: 'LabelReceived',
  type: 'io.millrace.label.received.v1',
  minor: 0,
  topic: 'millrace.label-events.v1',
  description: 'The truth about an earlier prediction.',
  data: z.looseObject({ predictionId: z.string(), model: z.string(), label: z.string(), labelledAt: timestamp, receivedFrom: z.string() }),
})
export type LabelReceived = DataOf<typeof labelReceived>
