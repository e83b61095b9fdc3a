import {
  type CategoricalProfile,
  CONFIDENCE_FEATURE,
  type ImageStatistics,
  imageStatisticNames,
  type NumericProfile,
  PREDICTED_CLASS_FEATURE,
  type ReferenceProfile,
} from '@millrace/contracts/model/reference-profile.ts'

const FINE_BINS = 256

/** Quantile by linear interpolation between order statistics; `sorted` must not be empty. */
export function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1)
  const low = Math.floor(position)
  const [below = 0, above = below] = [sorted[low], sorted[low + 1]]
  return below + (above - below) * (position - low)
}

/** Bin of a value among inner edges: closed on the left. */
const binOf = (edges: readonly number[], value: number): number => {
  const next = edges.findIndex((edge) => value < edge)
  return next === -1 ? edges.length : next
}

function countInto(bins: number, positions: readonly number[]): number[] {
  const counts = new Array<number>(bins).fill(0)
  for (const position of positions) counts[position] = (counts[position] ?? 0) + 1
  return counts
}

function fineCounts(values: readonly number[], min: number, max: number): number[] {
  const width = (max - min) / FINE_BINS
  return countInto(
    FINE_BINS,
    values.map((value) => (width > 0 ? Math.min(FINE_BINS - 1, Math.floor((value - min) / width)) : 0)),
  )
}

/** Profile of one numeric feature: decile bins with equal edges merged, 256 fine bins, mean and population deviation. */
export function numericProfile(name: string, all: readonly number[]): NumericProfile {
  const sorted = all.filter(Number.isFinite).sort((a, b) => a - b)
  const [min, max] = [sorted[0] ?? 0, sorted.at(-1) ?? 0]
  const deciles = sorted.length === 0 ? [] : Array.from({ length: 9 }, (_, i) => quantile(sorted, (i + 1) / 10))
  const edges = [...new Set(deciles)]
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length)
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, sorted.length)
  const counts = countInto(
    edges.length + 1,
    sorted.map((value) => binOf(edges, value)),
  )
  const fine = { min, max, counts: fineCounts(sorted, min, max) }
  return { kind: 'numeric', name, edges, counts, missing: all.length - sorted.length, fine, mean, std: Math.sqrt(variance) }
}

export function categoricalProfile(name: string, categories: readonly string[], values: readonly string[]): CategoricalProfile {
  const counts = categories.map((category) => values.filter((value) => value === category).length)
  const known = counts.reduce((sum, count) => sum + count, 0)
  return { kind: 'categorical', name, categories: [...categories], counts, other: values.length - known, missing: 0 }
}

/** What the profile is made from: one row per test image. */
export interface ProfileRow {
  readonly statistics: ImageStatistics
  readonly predicted: string
  readonly confidence: number
}

/** What the test images look like and what the model says about them: the reference that live traffic is compared with. */
export function buildReferenceProfile(datasetDigest: string, split: string, classes: readonly string[], rows: readonly ProfileRow[]): ReferenceProfile {
  const images = imageStatisticNames.map((name) =>
    numericProfile(
      name,
      rows.map(({ statistics }) => statistics[name]),
    ),
  )
  const confidence = numericProfile(
    CONFIDENCE_FEATURE,
    rows.map((row) => row.confidence),
  )
  const predicted = categoricalProfile(
    PREDICTED_CLASS_FEATURE,
    classes,
    rows.map((row) => row.predicted),
  )
  return { schemaVersion: 1, datasetDigest, split, rows: rows.length, features: [...images, confidence, predicted] }
}
