import type { DriftPolicy } from '@millrace/contracts/http/drift.ts'

/** Rows of one period of event time, `[startMs, startMs + lengthMs)`, not yet part of a closed window. */
export interface Bucket {
  readonly startMs: number
  readonly endMs: number
  readonly rows: number
}

/** A run of adjacent buckets that is judged as one. */
export interface PlannedWindow {
  readonly startMs: number
  readonly endMs: number
  readonly rows: number
}

/** How far event time has certainly come: no more records from before `settledMs` are expected. */
export interface Progress {
  readonly nowMs: number
  /** Latest event time counted. */
  readonly latestMs: number
  /** Whether records are still waiting in the log: then the clock says nothing about event time. */
  readonly behind: boolean
}

export const settledUntil = (progress: Progress, policy: DriftPolicy): number => (progress.behind ? progress.latestMs : progress.nowMs) - policy.latenessMs

/**
 * Windows that can close. A window begins with the oldest bucket and takes in bucket after bucket until it holds `minWindowRows`; it ends with the bucket that
 * brings them, once event time has passed that bucket's end by the allowed lateness. So a window closes at the later of its period's end and enough rows, its
 * bounds follow from event time alone, and a replay gives the same windows.
 */
export function planWindows(buckets: readonly Bucket[], policy: DriftPolicy, progress: Progress): PlannedWindow[] {
  const settledMs = settledUntil(progress, policy)
  const planned: PlannedWindow[] = []
  let open: PlannedWindow | null = null
  for (const bucket of buckets.toSorted((left, right) => left.startMs - right.startMs)) {
    if (bucket.endMs > settledMs) break
    open = extend(open, bucket)
    if (open.rows < policy.minWindowRows) continue
    planned.push(open)
    open = null
  }
  return planned
}

const extend = (open: PlannedWindow | null, bucket: Bucket): PlannedWindow =>
  open ? { startMs: open.startMs, endMs: bucket.endMs, rows: open.rows + bucket.rows } : { ...bucket }
