/** Exponentially weighted least squares of `milliseconds = perBatch + perRow * rows`; sums of weights, rows, times and products. */
export interface ServiceTime {
  readonly weight: number
  readonly rows: number
  readonly ms: number
  readonly rowsRows: number
  readonly rowsMs: number
}

export const noServiceTime: ServiceTime = { weight: 0, rows: 0, ms: 0, rowsRows: 0, rowsMs: 0 }

/** Older batches fade by this factor: half of the weight lies on the last 35. */
const FADE = 0.98

export const observeBatch = (time: ServiceTime, rows: number, ms: number): ServiceTime => ({
  weight: time.weight * FADE + 1,
  rows: time.rows * FADE + rows,
  ms: time.ms * FADE + ms,
  rowsRows: time.rowsRows * FADE + rows * rows,
  rowsMs: time.rowsMs * FADE + rows * ms,
})

/** Expected milliseconds of a batch; both coefficients are kept at 0 or above. 0 before anything was observed. */
export function expectBatchMs(time: ServiceTime, rows: number): number {
  if (time.weight === 0) return 0
  const [meanRows, meanMs] = [time.rows / time.weight, time.ms / time.weight]
  const variance = time.rowsRows / time.weight - meanRows * meanRows
  const slope = variance > 1e-9 ? Math.max(0, (time.rowsMs / time.weight - meanRows * meanMs) / variance) : 0
  const perRow = Math.min(slope, meanMs / meanRows)
  return Math.max(0, meanMs - perRow * meanRows) + perRow * rows
}

/** Milliseconds until a request of `rows` would be answered: what runs and waits before it, in full batches over the executors, then its own batch. */
export function expectWaitMs(time: ServiceTime, ahead: { queuedRows: number; busy: number; executors: number; maxRows: number }, rows: number): number {
  const batches = Math.ceil(ahead.queuedRows / ahead.maxRows) + (ahead.busy >= ahead.executors ? 1 : 0)
  return (batches / Math.max(1, ahead.executors)) * expectBatchMs(time, Math.min(ahead.maxRows, Math.max(1, ahead.queuedRows))) + expectBatchMs(time, rows)
}
