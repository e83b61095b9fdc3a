import { sharesOf } from './population-stability.ts'

/** A standard deviation below this would blow trifles up. */
const SMALLEST_STD = 0.001

/**
 * Wasserstein-1 distance between two histograms over the same bins of equal `width`: Σ |F - G| · width. Rows are taken to lie at the same place of their bin
 * on both sides, so that the error is at most one bin's width.
 */
export function wassersteinOfBins(reference: readonly number[], current: readonly number[], width: number): number {
  const q = sharesOf(current)
  let difference = 0
  let sum = 0
  sharesOf(reference).forEach((share, bin) => {
    difference += share - (q[bin] ?? 0)
    sum += Math.abs(difference) * width
  })
  return sum
}

/** Wasserstein-1 in units of the reference's population standard deviation. */
export const normalisedBy = (distance: number, std: number): number => distance / Math.max(std, SMALLEST_STD)
