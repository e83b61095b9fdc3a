import type { FeatureDrift } from '@millrace/contracts/events/fields.ts'
import type { DriftPolicy } from '@millrace/contracts/http/drift.ts'
import type { ReferenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import { adjustPValues } from './benjamini-hochberg.ts'
import type { WindowCounts } from './feature-counts.ts'
import { type FeatureMeasure, measureFeature } from './measure-feature.ts'

/** Below this no figure means anything, whatever a policy says. */
const FLOOR_ROWS = 100

export const verdicts = ['ok', 'drift', 'insufficient_data', 'no_reference'] as const
export type Verdict = (typeof verdicts)[number]
export type Severity = 'none' | 'warning' | 'critical'

export interface Judgement {
  readonly verdict: Verdict
  readonly severity: Severity
  /** Share of the profile's features that drifted, 0..1. */
  readonly driftedShare: number
  readonly features: readonly FeatureDrift[]
}

const withoutVerdict = (verdict: Verdict): Judgement => ({ verdict, severity: 'none', driftedShare: 0, features: [] })

/**
 * The verdict on one window. A feature drifted when its effect is large (PSI, or the distance) AND it is significant after Benjamini-Hochberg over all features of the
 * window AND there are enough rows: effect alone misfires on small windows, significance alone on trifles in large ones.
 */
export function judgeWindow(profile: ReferenceProfile | null, counts: WindowCounts, rows: number, policy: DriftPolicy): Judgement {
  if (rows < Math.max(policy.minWindowRows, FLOOR_ROWS)) return withoutVerdict('insufficient_data')
  if (!profile) return withoutVerdict('no_reference')
  const measures = profile.features.flatMap((feature) => {
    const counted = counts[feature.name]
    return counted ? [measureFeature(feature, counted)] : []
  })
  const adjusted = adjustPValues(measures.map((measure) => measure.pValue))
  const features = measures.map((measure, index) => judgeFeature(measure, adjusted[index] ?? 1, policy))
  return judgeShare(features, policy)
}

function judgeFeature(measure: FeatureMeasure, adjustedPValue: number, policy: DriftPolicy): FeatureDrift {
  const moved = measure.psi >= policy.psiWarning || measure.distance >= policy.distanceThreshold
  const drifted = moved && adjustedPValue <= policy.fdr
  return { ...measure, adjustedPValue, drifted, severity: drifted ? (measure.psi >= policy.psiCritical ? 'critical' : 'warning') : 'none' }
}

/** The data set drifted when enough of its features did; critically when enough of them did so critically. */
function judgeShare(features: readonly FeatureDrift[], policy: DriftPolicy): Judgement {
  const share = (matches: (feature: FeatureDrift) => boolean): number => features.filter(matches).length / Math.max(1, features.length)
  const driftedShare = share((feature) => feature.drifted)
  if (driftedShare < policy.driftedShare) return { verdict: 'ok', severity: 'none', driftedShare, features }
  const isCritical = share((feature) => feature.severity === 'critical') >= policy.driftedShare
  return { verdict: 'drift', severity: isCritical ? 'critical' : 'warning', driftedShare, features }
}
