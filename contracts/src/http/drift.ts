import { z } from 'zod'
import { featureDrift, timestamp } from '../events/fields.ts'

/** PUT /api/v1/drift/policies/{model}. Defaults are those of `defaultDriftPolicy`; only periods should differ between environments. */
export const driftPolicy = z.strictObject({
  /** Length of a tumbling window of event time. A window closes at the later of its end and `minWindowRows`. */
  windowMs: z
    .int()
    .min(1000)
    .max(7 * 86_400_000),
  /** How long after its end a window still takes late records. */
  latenessMs: z.int().min(0).max(86_400_000),
  /** Rows below which a window only says `insufficient_data`; never under 100. */
  minWindowRows: z.int().min(100).max(10_000_000),
  psiWarning: z.number().positive(),
  psiCritical: z.number().positive(),
  /** Wasserstein-1 over the reference's standard deviation, and Jensen-Shannon distance (natural logarithm): second view of the effect. */
  distanceThreshold: z.number().positive(),
  /** False discovery rate of Benjamini-Hochberg over the features of a window. */
  fdr: z.number().positive().max(0.5),
  /** Share of drifted features from which the data set counts as drifted. */
  driftedShare: z.number().positive().max(1),
  /** Bad windows in a row (or 3 of the last 5) that fire, good windows in a row that clear. */
  fireAfter: z.int().min(1).max(100),
  clearAfter: z.int().min(1).max(100),
  cooldownMs: z.int().min(0),
  /** Accuracy below which labels that arrived raise PerformanceDegraded; absent: not judged. A window counts from `minLabelledRows` labels on (100 where absent). */
  minAccuracy: z.number().min(0).max(1).optional(),
  minLabelledRows: z.int().min(30).max(10_000_000).optional(),
})
export type DriftPolicy = z.infer<typeof driftPolicy>

export const defaultDriftPolicy: DriftPolicy = {
  windowMs: 3_600_000,
  latenessMs: 60_000,
  minWindowRows: 500,
  psiWarning: 0.1,
  psiCritical: 0.25,
  distanceThreshold: 0.1,
  fdr: 0.05,
  driftedShare: 0.5,
  fireAfter: 3,
  clearAfter: 2,
  cooldownMs: 0,
}

export const driftWindow = z.looseObject({
  model: z.string(),
  version: z.string(),
  windowStart: timestamp,
  windowEnd: timestamp,
  rows: z.int(),
  verdict: z.string().meta({ 'x-known-values': ['ok', 'drift', 'insufficient_data', 'no_reference', 'open'] }),
  severity: z.string(),
  driftedShare: z.number(),
  features: z.array(featureDrift),
})
export type DriftWindow = z.infer<typeof driftWindow>

/** GET /api/v1/drift/models/{model} */
export const driftStatus = z.looseObject({
  model: z.string(),
  version: z.string().nullable(),
  state: z.string().meta({ 'x-known-values': ['ok', 'drifting', 'unknown'] }),
  alertId: z.string().nullable(),
  policy: driftPolicy,
  windows: z.array(driftWindow),
})
export type DriftStatus = z.infer<typeof driftStatus>
export const driftPolicyResponse = z.looseObject({ model: z.string(), policy: driftPolicy })

/** POST /api/v1/labels */
export const labelsRequest = z.strictObject({
  labels: z
    .array(
      z.strictObject({
        predictionId: z.string().min(1).max(200),
        model: z.string().min(1),
        label: z.string().min(1).max(256),
        labelledAt: timestamp.optional(),
      }),
    )
    .min(1)
    .max(1000),
})
export const labelsResponse = z.looseObject({ accepted: z.int(), duplicates: z.int() })
