import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import type { TrackingDeps } from '../deps.ts'
import { createReadHistory } from '../read-history.ts'
import { invalid } from '../refusals.ts'
import { checkMaxResults } from '../search/page.ts'
import { queryBulkHistory, type RunPoint, sampleHistory } from '../store/metric-samples.ts'
import { metricJson } from './run-json.ts'
import { requireRunId } from './run-reference.ts'
import { pageJson } from './search-routes.ts'
import { listOf, optionalInteger, optionalText, runReference, text } from './wire.ts'

const read = { errors: 'mlflow', method: 'GET', access: 'read' } as const
const MAX_HISTORY = 25_000
const MAX_RUNS = 100
/** Steps of one chart. */
const MAX_SAMPLES = 2500

export function historyRoutes(deps: TrackingDeps): Route[] {
  return [historyRoute(deps), bulkRoute(deps), intervalRoute(deps)]
}

function historyRoute(deps: TrackingDeps): Route {
  const readHistory = createReadHistory(deps)
  return route({
    ...read,
    path: '/metrics/get-history',
    summary: 'All points of one metric of a run, page by page.',
    query: z.looseObject({ ...runReference, max_results: optionalInteger, page_token: optionalText, metric_key: text }),
    handle: async ({ query }) => {
      const maxResults = query.max_results ?? MAX_HISTORY
      checkMaxResults(maxResults, Number.MAX_SAFE_INTEGER)
      const request = { runId: requireRunId(query), key: query.metric_key, pageToken: query.page_token ?? '', maxResults: Math.min(MAX_HISTORY, maxResults) }
      const { points, nextPageToken } = await readHistory(request)
      return ok(pageJson('metrics', points.map(metricJson), nextPageToken))
    },
  })
}

const runPointJson = (point: RunPoint) => ({ ...metricJson(point), run_id: point.runId })

function bulkRoute(deps: TrackingDeps): Route {
  return route({
    ...read,
    path: '/metrics/get-history-bulk',
    summary: 'The first points of one metric over several runs.',
    query: z.looseObject({ run_id: listOf(z.string()), metric_key: optionalText, max_results: optionalInteger }),
    handle: async ({ query }) => {
      const runIds = query.run_id.filter((id) => id !== '')
      if (runIds.length === 0) throw invalid('GetMetricHistoryBulk request must specify at least one run_id.')
      if (runIds.length > MAX_RUNS)
        throw invalid(`GetMetricHistoryBulk request cannot specify more than ${MAX_RUNS} run_ids. Received ${runIds.length} run_ids.`)
      if (!query.metric_key) throw invalid('GetMetricHistoryBulk request must specify a metric_key.')
      const maxResults = query.max_results ?? MAX_HISTORY
      checkMaxResults(maxResults, Number.MAX_SAFE_INTEGER)
      const points = await queryBulkHistory(deps.database, { runIds, key: query.metric_key, limit: Math.min(MAX_HISTORY, maxResults) })
      return ok({ metrics: points.map(runPointJson) })
    },
  })
}

function intervalRoute(deps: TrackingDeps): Route {
  return route({
    ...read,
    path: '/metrics/get-history-bulk-interval',
    summary: 'One metric over several runs, thinned evenly by step for a chart.',
    query: z.looseObject({
      run_ids: listOf(z.string()),
      metric_key: text,
      start_step: optionalInteger,
      end_step: optionalInteger,
      max_results: optionalInteger,
    }),
    handle: async ({ query }) => {
      const runIds = requireRuns(query.run_ids)
      const maxSteps = query.max_results ?? MAX_SAMPLES
      if (maxSteps < 1 || maxSteps > MAX_SAMPLES) throw invalid(`max_results must be between 1 and ${MAX_SAMPLES}.`)
      const points = await sampleHistory(deps.database, { runIds, key: query.metric_key, ...requireInterval(query.start_step, query.end_step), maxSteps })
      return ok(pageJson('metrics', points.map(runPointJson), null))
    },
  })
}

function requireRuns(ids: readonly string[]): string[] {
  const runIds = ids.filter((id) => id !== '')
  if (runIds.length === 0) throw invalid("Missing value for required parameter 'run_ids'. See the API docs for more information about request parameters.")
  if (runIds.length <= MAX_RUNS) return runIds
  throw invalid(`GetMetricHistoryBulkInterval request must specify at most ${MAX_RUNS} run_ids. Received ${runIds.length} run_ids.`)
}

function requireInterval(start: number | undefined, end: number | undefined): { startStep: number; endStep: number } {
  if (start === undefined && end === undefined) return { startStep: Number.MIN_SAFE_INTEGER, endStep: Number.MAX_SAFE_INTEGER }
  if (start === undefined || end === undefined) throw invalid('If either start step or end step are specified, both must be specified.')
  if (start <= end) return { startStep: start, endStep: end }
  throw invalid(`end_step must be greater than start_step. Found start_step=${start} and end_step=${end}.`)
}
