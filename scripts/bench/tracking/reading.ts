import type { Spread } from '../percentile.ts'
import { measureCall } from './logging.ts'
import type { Seeded } from './seed.ts'
import { API, type Target } from './target.ts'

export interface ReadingFigures {
  /** Milliseconds. */
  readonly selective: Spread
  readonly weak: Spread
  readonly page: Spread
  readonly sampled: Spread
}

/** Searches among all runs, page of 100, and the history of one long metric. */
export async function measureReading(target: Target, { experimentId, runId }: Seeded, count: number): Promise<ReadingFigures> {
  const search = (filter: string, orderBy: string[]) =>
    target.ask('POST', `${API}/runs/search`, { experiment_ids: [experimentId], filter, order_by: orderBy, max_results: 100 })
  let n = 0
  // Another value every time: no answer is that of the query before.
  const next = (): number => {
    n += 7
    return n
  }
  const selective = () => search(`metrics.metric_3 > 0.999 and params.param_2 = 'value ${next() % 97}'`, [])
  const weak = () => search(`metrics.metric_1 > ${(0.4 + (next() % 10) / 100).toFixed(2)}`, ['metrics.metric_2 DESC'])
  const page = () => target.ask('GET', `${API}/metrics/get-history?run_id=${runId}&metric_key=long&max_results=25000`)
  const sampled = () => target.ask('GET', `${API}/metrics/get-history-bulk-interval?run_ids=${runId}&metric_key=long&max_results=2500`)
  return {
    selective: await measureCall(count, selective),
    weak: await measureCall(count, weak),
    page: await measureCall(Math.ceil(count / 5), page),
    sampled: await measureCall(Math.ceil(count / 5), sampled),
  }
}
