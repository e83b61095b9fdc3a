/** Exact counts of one arm in one window. */
export interface ArmCounts {
  readonly requests: number
  readonly failures: number
  /** Cumulative, one per edge and one for everything. */
  readonly latencyCounts: readonly number[]
}

export const noCounts = (edges: readonly number[]): ArmCounts => ({
  requests: 0,
  failures: 0,
  latencyCounts: Array.from({ length: edges.length + 1 }, () => 0),
})

/** Adds one request. `seconds` counts under every edge that is not below it. */
export function countRequest(counts: ArmCounts, edges: readonly number[], seconds: number, failed: boolean): ArmCounts {
  return {
    requests: counts.requests + 1,
    failures: counts.failures + (failed ? 1 : 0),
    latencyCounts: counts.latencyCounts.map((count, index) => count + (seconds <= (edges[index] ?? Number.POSITIVE_INFINITY) ? 1 : 0)),
  }
}
