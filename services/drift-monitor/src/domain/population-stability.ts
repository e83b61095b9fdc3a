import { chiSquareLimit, chiSquareTail } from './incomplete-gamma.ts'

/** Stands for a share of zero, whose logarithm does not exist. Not re-normalised. */
const ZERO_SHARE = 1e-4

/** Counts as shares of their sum; an empty side has no shares (all zero). */
export function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => (total === 0 ? 0 : count / total))
}

/**
 * Population stability index Σ (p - q) ln(p / q) of two histograms over the same bins; bins that are empty on both sides do not count.
 * Bands of practice: below 0.1 stable, 0.1 to 0.25 moderate, from 0.25 significant.
 */
export function populationStability(reference: readonly number[], current: readonly number[]): number {
  const q = sharesOf(current)
  return sharesOf(reference).reduce((sum, share, bin) => {
    const other = q[bin] ?? 0
    if (share === 0 && other === 0) return sum
    const filled = share === 0 ? ZERO_SHARE : share
    const otherFilled = other === 0 ? ZERO_SHARE : other
    return sum + (filled - otherFilled) * Math.log(filled / otherFilled)
  }, 0)
}

/** What PSI may reach by chance: with no drift, PSI over B bins is about χ²(B-1) · (1/n + 1/m). */
export interface StabilityTest {
  readonly bins: number
  readonly referenceRows: number
  readonly currentRows: number
}

const spread = (test: StabilityTest): number => 1 / test.referenceRows + 1 / test.currentRows

/** Probability of a PSI this high without drift. The law breaks where bins expect only a few rows: do not use it under 100 rows. */
export function stabilityTail(psi: number, test: StabilityTest): number {
  if (test.referenceRows === 0 || test.currentRows === 0) return 1
  return chiSquareTail(psi / spread(test), test.bins - 1)
}

/** The PSI that is exceeded with probability `tail` without drift. */
export const stabilityLimit = (tail: number, test: StabilityTest): number => (test.bins < 2 ? 0 : chiSquareLimit(tail, test.bins - 1) * spread(test))
