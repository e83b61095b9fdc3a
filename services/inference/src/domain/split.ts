/** Shares are dealt in hundredths of a percent. */
export const BUCKETS = 10_000

/** A candidate that takes a share of the traffic. */
export interface SplitCandidate {
  readonly mode: string
  readonly weightPercent: number
}

/** What the bucket is the hash of; unambiguous whatever the parts contain. */
export const bucketText = (model: string, salt: string | null, routingKey: string): string => JSON.stringify([model, salt ?? model, routingKey])

/** The bucket of a request from the first 48 bits of SHA-256 over `bucketText`: the same on every pod and after every restart. */
export const bucketOf = (first48Bits: number): number => first48Bits % BUCKETS

const width = (candidate: SplitCandidate): number => Math.round((candidate.weightPercent * BUCKETS) / 100)

/**
 * The candidate that owns a bucket, or null for Production: canary owns [0, w), ab owns [10 000 − w, 10 000). Raising a weight therefore moves keys only from
 * Production to that candidate, never back or sideways.
 */
export function ownerOf<Candidate extends SplitCandidate>(bucket: number, candidates: readonly Candidate[]): Candidate | null {
  const canary = candidates.find(({ mode }) => mode === 'canary')
  if (canary && bucket < width(canary)) return canary
  const ab = candidates.find(({ mode }) => mode === 'ab')
  return ab && bucket >= BUCKETS - width(ab) ? ab : null
}

/** Whether any candidate takes a share: only then is a hash worth computing. */
export const splitsTraffic = (candidates: readonly SplitCandidate[]): boolean =>
  candidates.some(({ mode, weightPercent }) => (mode === 'canary' || mode === 'ab') && weightPercent > 0)
