import type { FeatureProfile, ReferenceProfile } from '@millrace/contracts/model/reference-profile.ts'

const ascends = (values: readonly number[]): boolean => values.every((value, index) => index === 0 || value > (values[index - 1] ?? value))

/** What makes a profile useless although its shape is right, in words; null when it is sound. */
export function findProfileProblem(profile: ReferenceProfile): string | null {
  const names = profile.features.map((feature) => feature.name)
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined) return `feature '${repeated}' appears twice`
  for (const feature of profile.features) {
    const problem = findFeatureProblem(feature)
    if (problem) return `feature '${feature.name}' ${problem}`
  }
  return null
}

function findFeatureProblem(feature: FeatureProfile): string | null {
  if (feature.kind === 'categorical') {
    return feature.counts.length === feature.categories.length ? null : `has ${feature.categories.length} categories but ${feature.counts.length} counts`
  }
  if (feature.counts.length !== feature.edges.length + 1)
    return `has ${feature.edges.length} edges but ${feature.counts.length} counts (one more than edges expected)`
  if (!ascends(feature.edges)) return 'has edges that do not ascend'
  return feature.fine.max < feature.fine.min ? `has a range from ${feature.fine.min} down to ${feature.fine.max}` : null
}
