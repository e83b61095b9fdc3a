import type { CategoricalProfile, FeatureProfile, NumericProfile, ReferenceProfile } from '@millrace/contracts/model/reference-profile.ts'

/** Value of one feature in one row, as the inference log carries it. */
export type FeatureValue = number | string | null | undefined

/** Integers only, over the bins of the reference: merging two windows is addition, so nothing depends on how rows were batched. */
export interface NumericCounts {
  readonly kind: 'numeric'
  /** Per bin between the profile's `edges`. */
  readonly bins: readonly number[]
  /** Per fine bin of the reference's range; what lies outside is counted apart. */
  readonly fine: readonly number[]
  readonly below: number
  readonly above: number
  readonly missing: number
}

export interface CategoricalCounts {
  readonly kind: 'categorical'
  readonly counts: readonly number[]
  readonly other: number
  readonly missing: number
}

export type FeatureCounts = NumericCounts | CategoricalCounts
/** Counts of one window by feature. */
export type WindowCounts = Readonly<Record<string, FeatureCounts>>
export type Row = Readonly<Record<string, FeatureValue>>

const zeros = (length: number): number[] => Array.from({ length }, () => 0)
const increase = (counts: number[], index: number): void => {
  counts[index] = (counts[index] ?? 0) + 1
}

/** Counts `rows` over the bins of `profile`. A value of the wrong type counts as missing; a category that the reference does not know as other. */
export function countRows(profile: ReferenceProfile, rows: readonly Row[]): WindowCounts {
  return Object.fromEntries(
    profile.features.map((feature) => {
      const values = rows.map((row) => row[feature.name])
      return [feature.name, feature.kind === 'numeric' ? countNumeric(feature, values) : countCategorical(feature, values)]
    }),
  )
}

function countNumeric(profile: NumericProfile, values: readonly FeatureValue[]): NumericCounts {
  const bins = zeros(profile.counts.length)
  const fine = zeros(profile.fine.counts.length)
  const { min, max } = profile.fine
  let [below, above, missing] = [0, 0, 0]
  for (const value of values) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      missing += 1
      continue
    }
    increase(bins, binOf(profile.edges, value))
    if (value < min) below += 1
    else if (value > max) above += 1
    else increase(fine, fineBinOf(value, min, max, fine.length))
  }
  return { kind: 'numeric', bins, fine, below, above, missing }
}

function countCategorical(profile: CategoricalProfile, values: readonly FeatureValue[]): CategoricalCounts {
  const indexOf = new Map(profile.categories.map((category, index) => [category, index]))
  const counts = zeros(profile.categories.length)
  let [other, missing] = [0, 0]
  for (const value of values) {
    const index = value === null || value === undefined ? null : indexOf.get(String(value))
    if (index === null) missing += 1
    else if (index === undefined) other += 1
    else increase(counts, index)
  }
  return { kind: 'categorical', counts, other, missing }
}

/** Bin `i` holds `edges[i-1] <= value < edges[i]`. */
function binOf(edges: readonly number[], value: number): number {
  let [low, high] = [0, edges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (value >= (edges[middle] ?? Number.POSITIVE_INFINITY)) low = middle + 1
    else high = middle
  }
  return low
}

const fineBinOf = (value: number, min: number, max: number, bins: number): number =>
  max > min ? Math.min(bins - 1, Math.floor(((value - min) / (max - min)) * bins)) : 0

/** The reference's own counts in the same form. */
export function countsOfReference(feature: FeatureProfile): FeatureCounts {
  if (feature.kind === 'categorical') return { kind: 'categorical', counts: feature.counts, other: feature.other, missing: feature.missing }
  return { kind: 'numeric', bins: feature.counts, fine: feature.fine.counts, below: 0, above: 0, missing: feature.missing }
}

/** Adds windows up. Features that only one side has are kept as they are. */
export function mergeCounts(left: WindowCounts, right: WindowCounts): WindowCounts {
  const merged: Record<string, FeatureCounts> = { ...left }
  for (const [name, counts] of Object.entries(right)) merged[name] = addFeature(merged[name], counts)
  return merged
}

const addAll = (left: readonly number[], right: readonly number[]): number[] => left.map((count, index) => count + (right[index] ?? 0))

function addFeature(left: FeatureCounts | undefined, right: FeatureCounts): FeatureCounts {
  if (left?.kind === 'numeric' && right.kind === 'numeric') {
    const outside = { below: left.below + right.below, above: left.above + right.above, missing: left.missing + right.missing }
    return { kind: 'numeric', bins: addAll(left.bins, right.bins), fine: addAll(left.fine, right.fine), ...outside }
  }
  if (left?.kind === 'categorical' && right.kind === 'categorical') {
    return { kind: 'categorical', counts: addAll(left.counts, right.counts), other: left.other + right.other, missing: left.missing + right.missing }
  }
  return right
}
