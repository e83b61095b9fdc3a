import type { FeatureProfile, NumericProfile } from '@millrace/contracts/model/reference-profile.ts'
import { type CategoricalCounts, countsOfReference, type FeatureCounts, type NumericCounts } from './feature-counts.ts'
import { foldedHomogeneity } from './homogeneity.ts'
import { jensenShannonDistance } from './jensen-shannon.ts'
import { gapTail, largestGap } from './kolmogorov-smirnov.ts'
import { populationStability, stabilityTail } from './population-stability.ts'
import { normalisedBy, wassersteinOfBins } from './wasserstein.ts'

/** How far a feature moved and how likely that is by chance, before the window's correction for many features. */
export interface FeatureMeasure {
  readonly feature: string
  readonly kind: 'numeric' | 'categorical'
  readonly psi: number
  readonly distance: number
  readonly pValue: number
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)

/** Compares the counts of a window with the reference. Missing values are a bin of their own, so that a column that goes missing is drift as well. */
export function measureFeature(profile: FeatureProfile, current: FeatureCounts): FeatureMeasure {
  const reference = countsOfReference(profile)
  const identity = { feature: profile.name, kind: profile.kind }
  if (profile.kind === 'numeric' && reference.kind === 'numeric' && current.kind === 'numeric') {
    return { ...identity, ...(isConstant(profile) ? measureConstant(reference, current) : measureNumeric(profile, reference, current)) }
  }
  if (reference.kind === 'categorical' && current.kind === 'categorical')
    return { ...identity, ...measureCategories(categoryBins(reference), categoryBins(current)) }
  throw new Error(`counts of feature '${profile.name}' are ${current.kind}, its profile is ${profile.kind}`)
}

const isConstant = (profile: NumericProfile): boolean => profile.fine.max === profile.fine.min
const categoryBins = (counts: CategoricalCounts): number[] => [...counts.counts, counts.other, counts.missing]

const measureCategories = (reference: readonly number[], current: readonly number[]): Omit<FeatureMeasure, 'feature' | 'kind'> => ({
  psi: populationStability(reference, current),
  distance: jensenShannonDistance(reference, current),
  pValue: foldedHomogeneity(reference, current).pValue,
})

/** A reference with one value has no deciles and no spread: what counts is the share that lies below it, on it, above it. */
function measureConstant(reference: NumericCounts, current: NumericCounts): Omit<FeatureMeasure, 'feature' | 'kind'> {
  const places = (counts: NumericCounts): number[] => [counts.below, sum(counts.fine), counts.above, counts.missing]
  return measureCategories(places(reference), places(current))
}

function measureNumeric(profile: NumericProfile, reference: NumericCounts, current: NumericCounts): Omit<FeatureMeasure, 'feature' | 'kind'> {
  const width = (profile.fine.max - profile.fine.min) / reference.fine.length
  const psiBins = [withMissing(reference), withMissing(current)] as const
  const psi = populationStability(...psiBins)
  const fine = [withOutside(reference), withOutside(current)] as const
  return {
    psi,
    distance: sum(fine[1]) === 0 ? 0 : normalisedBy(wassersteinOfBins(...fine, width), profile.std),
    pValue: eitherOf(stabilityPValue(psi, ...psiBins), gapTail(largestGap(...fine), sum(fine[0]), sum(fine[1]))),
  }
}

const withMissing = (counts: NumericCounts): number[] => [...counts.bins, counts.missing]
/** Values beyond the reference's range lie at its ends for Wasserstein (a lower bound), and beyond every reference value for KS. */
const withOutside = (counts: NumericCounts): number[] => [counts.below, ...counts.fine, counts.above]

function stabilityPValue(psi: number, reference: readonly number[], current: readonly number[]): number {
  const bins = reference.filter((count, index) => count + (current[index] ?? 0) > 0).length
  return stabilityTail(psi, { bins, referenceRows: sum(reference), currentRows: sum(current) })
}

/** Two tests of the same question: Bonferroni keeps the chance of a false alarm. */
const eitherOf = (left: number, right: number): number => Math.min(1, 2 * Math.min(left, right))
