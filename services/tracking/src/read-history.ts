import type { TrackingDeps } from './deps.ts'
import type { Point } from './domain/metric.ts'
import { invalid } from './refusals.ts'
import { type HistoryKey, queryHistory } from './store/metrics.ts'

export interface HistoryPage {
  readonly points: readonly Point[]
  readonly nextPageToken: string | null
}

/** A page of all that was logged under one metric, by timestamp, step and value; empty for a run or metric that is not there. */
export const createReadHistory = (deps: TrackingDeps) =>
  async function readHistory(request: { runId: string; key: string; pageToken: string; maxResults: number }): Promise<HistoryPage> {
    const { runId, key, maxResults } = request
    const rows = await queryHistory(deps.database, { runId, key, after: decode(request.pageToken), limit: maxResults + 1 })
    const points = rows.slice(0, maxResults)
    const last = points.at(-1)
    return { points, nextPageToken: rows.length > maxResults && last ? encode(last) : null }
  }

const encode = ({ timestamp, step, value, isNan }: Point): string => Buffer.from(JSON.stringify([timestamp, step, value, isNan])).toString('base64url')

function decode(token: string): HistoryKey | null {
  if (token === '') return null
  try {
    const [timestamp, step, value, isNan] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (Number.isSafeInteger(timestamp) && Number.isSafeInteger(step) && Number.isFinite(value) && typeof isNan === 'boolean')
      return [timestamp, step, value, isNan]
  } catch {
    // Falls through: whatever it is, it is no token of ours.
  }
  throw invalid('Invalid page token, not one that this metric history returned: leave it out to start at the first page')
}
