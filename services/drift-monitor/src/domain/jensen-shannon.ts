import { sharesOf } from './population-stability.ts'

/** Σ p ln(p / m), with 0 ln 0 = 0. */
const divergence = (p: readonly number[], m: readonly number[]): number =>
  p.reduce((sum, share, bin) => (share === 0 ? sum : sum + share * Math.log(share / (m[bin] ?? share))), 0)

/** Jensen-Shannon distance, natural logarithm: 0 for equal shares, √ln 2 ≈ 0.8326 for disjoint ones. (Base 2 is 1.2011 times as large.) */
export function jensenShannonDistance(reference: readonly number[], current: readonly number[]): number {
  const p = sharesOf(reference)
  const q = sharesOf(current)
  const mean = p.map((share, bin) => (share + (q[bin] ?? 0)) / 2)
  return Math.sqrt(Math.max(0, (divergence(p, mean) + divergence(q, mean)) / 2))
}
