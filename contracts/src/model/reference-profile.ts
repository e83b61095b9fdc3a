import { z } from 'zod'

/**
 * Numeric feature of a reference profile. `edges` are the inner decile edges of the reference (equal ones merged), so that bin `i` holds
 * `edges[i-1] <= x < edges[i]`, the first and last bins being open to infinity: `edges.length + 1` counts. Missing (null, NaN, infinite) is counted apart.
 */
export const numericProfile = z.looseObject({
  kind: z.literal('numeric'),
  name: z.string(),
  edges: z.array(z.number()),
  counts: z.array(z.int().nonnegative()).min(1),
  missing: z.int().nonnegative(),
  /** Equal-width fine bins over `[min, max]` for KS and Wasserstein; values outside fall into the first or last. */
  fine: z.looseObject({ min: z.number(), max: z.number(), counts: z.array(z.int().nonnegative()).min(1) }),
  mean: z.number(),
  std: z.number().nonnegative(),
})
export type NumericProfile = z.infer<typeof numericProfile>

/** Categorical feature: counts of the known categories, everything else under `other`. */
export const categoricalProfile = z.looseObject({
  kind: z.literal('categorical'),
  name: z.string(),
  categories: z.array(z.string()),
  counts: z.array(z.int().nonnegative()),
  other: z.int().nonnegative(),
  missing: z.int().nonnegative(),
})
export type CategoricalProfile = z.infer<typeof categoricalProfile>

export const featureProfile = z.discriminatedUnion('kind', [numericProfile, categoricalProfile])
export type FeatureProfile = z.infer<typeof featureProfile>

/** What the data looked like on the reference split (held out, never the training rows). Immutable: a new version brings a new profile. */
export const referenceProfile = z.looseObject({
  schemaVersion: z.literal(1),
  datasetDigest: z.string(),
  split: z.string(),
  rows: z.int().positive(),
  features: z.array(featureProfile).min(1),
})
export type ReferenceProfile = z.infer<typeof referenceProfile>

/** Image statistics per picture, in the order of specs "images": all from the decoded RGB bytes, 0..1 unless said. */
export const imageStatisticNames = ['brightness', 'contrast', 'saturation', 'red_share', 'green_share', 'blue_share', 'sharpness', 'aspect_ratio'] as const
export type ImageStatistics = Record<(typeof imageStatisticNames)[number], number>

/** Names of the prediction features beside them. */
export const PREDICTED_CLASS_FEATURE = 'predicted_class'
export const CONFIDENCE_FEATURE = 'confidence'
