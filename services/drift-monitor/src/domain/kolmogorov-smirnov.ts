import { sharesOf } from './population-stability.ts'

/** Above this many lattice points the exact law costs more than it tells. */
const EXACT_POINTS = 1_000_000
const SERIES_TERMS = 100

/** D = max |F - G| over the edges of common bins: exact where the bins are fine, and never more than the D of the raw values. */
export function largestGap(reference: readonly number[], current: readonly number[]): number {
  const q = sharesOf(current)
  let difference = 0
  let largest = 0
  sharesOf(reference).forEach((share, bin) => {
    difference += share - (q[bin] ?? 0)
    largest = Math.max(largest, Math.abs(difference))
  })
  return largest
}

/**
 * Exact P(D >= d) of two samples of n and m values without ties: 1 minus the share of lattice paths from (0, 0) to (n, m) that stay where |i/n - j/m| < d.
 * The recursion carries probabilities, not path counts, so that nothing overflows.
 */
export function exactGapTail(d: number, n: number, m: number): number {
  const limit = (Math.floor(d * n * m - 1e-7) + 0.5) / (n * m)
  const inside = (i: number, j: number): boolean => Math.abs(i / n - j / m) <= limit
  const row: number[] = Array.from({ length: m + 1 }, (_, j) => (inside(0, j) ? 1 : 0))
  for (let i = 1; i <= n; i++) {
    const weight = i / (i + m)
    let left = 0
    for (let j = 0; j <= m; j++) {
      left = inside(i, j) ? weight * (row[j] ?? 0) + left : 0
      row[j] = left
    }
  }
  return Math.min(1, Math.max(0, 1 - (row[m] ?? 0)))
}

/** P(D >= d) by Kolmogorov's series with Stephens' argument: 2 Σ (-1)^(k-1) exp(-2 k² L²), L = (√e + 0.12 + 0.11/√e) d, e = nm/(n+m). */
export function stephensGapTail(d: number, n: number, m: number): number {
  const root = Math.sqrt((n * m) / (n + m))
  const argument = (root + 0.12 + 0.11 / root) * d
  if (argument < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= SERIES_TERMS; k++) sum += (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * argument * argument)
  return Math.min(1, Math.max(0, 2 * sum))
}

/** Two-sample p-value: exact where the samples are small, Stephens otherwise. A side without rows proves nothing: 1. */
export function gapTail(d: number, n: number, m: number): number {
  if (n === 0 || m === 0) return 1
  return n * m <= EXACT_POINTS ? exactGapTail(d, n, m) : stephensGapTail(d, n, m)
}
