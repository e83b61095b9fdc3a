/** A stretch of event time, `[startMs, endMs)`. */
export interface Span {
  readonly startMs: number
  readonly endMs: number
}

/**
 * The bucket that a row belongs to: an open one that covers its time, or a new one of the policy's period, cut where it would reach into a neighbour (periods change with
 * the policy) or into a window that is closed. Null for a row that comes after its window was closed.
 */
export function placeRow(open: readonly Span[], closedUntilMs: number, timeMs: number, windowMs: number): Span | null {
  if (timeMs < closedUntilMs) return null
  const covering = open.find((span) => span.startMs <= timeMs && timeMs < span.endMs)
  if (covering) return { startMs: covering.startMs, endMs: covering.endMs }
  const periodMs = Math.floor(timeMs / windowMs) * windowMs
  const before = open.filter((span) => span.endMs <= timeMs).map((span) => span.endMs)
  const after = open.filter((span) => span.startMs > timeMs).map((span) => span.startMs)
  return { startMs: Math.max(periodMs, closedUntilMs, ...before), endMs: Math.min(periodMs + windowMs, ...after) }
}

/** An open bucket under a new period: it ends with the new period in which its newest row lies, so that a long bucket does not hold up short windows. */
export const shortenedEnd = (bucket: Span & { readonly latestMs: number }, windowMs: number): number =>
  Math.min(bucket.endMs, Math.floor(bucket.latestMs / windowMs) * windowMs + windowMs)
