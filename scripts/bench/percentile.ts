/** The smallest sample that at least `share` of all samples do not exceed (nearest rank). NaN where there is none. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export const spreadOf = (samples: readonly number[]): Spread => ({ p50: percentile(samples, 0.5), p99: percentile(samples, 0.99), max: percentile(samples, 1) })
