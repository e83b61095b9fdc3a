import type { PodHealth } from './pod-health.ts'

const ENOUGH_ANSWERS = 10
/** How many times slower than its siblings, and by how much at least: a millisecond more or less is no reason. */
const TIMES_SLOWER = 4
const AT_LEAST_MS = 50

/**
 * Pods whose answers take so much longer than those of their siblings that something must be wrong with them. Requests are dealt out evenly, so that their mix is the
 * same everywhere; the median of the others is not moved by one more that is slow.
 */
export function findSlowPods<Pod extends { readonly health: PodHealth }>(pods: readonly Pod[]): Pod[] {
  const known = pods.filter(({ health }) => health.answers >= ENOUGH_ANSWERS)
  return known.filter((pod) => {
    const others = known.filter((other) => other !== pod).map(({ health }) => health.latencyMs)
    if (others.length === 0) return false
    const usual = medianOf(others)
    return pod.health.latencyMs > Math.max(usual * TIMES_SLOWER, usual + AT_LEAST_MS)
  })
}

/** The lower one of two in the middle. */
const medianOf = (values: readonly number[]): number => values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) / 2)] ?? 0
