import { z } from 'zod'
import { type Spread, spreadOf } from './percentile.ts'

export const prediction = z.object({
  kind: z.enum(['ok', 'mixed', 'failed']),
  version: z.string(),
  reason: z.string(),
  /** Unix time in milliseconds. */
  sentMs: z.number(),
  /** From when it was due, in milliseconds. */
  tookMs: z.number(),
})
export type Prediction = z.infer<typeof prediction>

/** A version that every pod answered with at `everywhereMs`; `nextMs` is when the next promotion was asked for. */
export interface Reign {
  readonly version: string
  readonly everywhereMs: number
  readonly nextMs: number
}

export interface LoadReport {
  readonly predictions: number
  readonly failed: number
  /** Answers that the version in their header did not compute. */
  readonly mixed: number
  /** Answers by an earlier version to requests that were sent after every pod had answered with the new one. */
  readonly stale: number
  readonly latencyMs: Spread
  /** The first few faults. */
  readonly reasons: readonly string[]
}

export function reportLoad(predictions: readonly Prediction[], reigns: readonly Reign[]): LoadReport {
  const stale = reigns.flatMap(({ version, everywhereMs, nextMs }) =>
    predictions.filter(
      ({ kind, sentMs, version: answered }) => kind === 'ok' && sentMs > everywhereMs && sentMs < nextMs && Number(answered) < Number(version),
    ),
  )
  const count = (kind: Prediction['kind']): number => predictions.filter((one) => one.kind === kind).length
  return {
    predictions: predictions.length,
    failed: count('failed'),
    mixed: count('mixed'),
    stale: stale.length,
    latencyMs: spreadOf(predictions.map(({ tookMs }) => tookMs)),
    reasons: [...new Set(predictions.flatMap(({ reason }) => reason || []))].slice(0, 5),
  }
}
