import { bestRuns, runComparison, runReproduction } from '@millrace/contracts/http/tracking.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { comparisonCsv } from '../compare-csv.ts'
import { createCompareRuns } from '../compare-runs.ts'
import type { TrackingParts } from '../deps.ts'
import { invalid, readExperimentId } from '../refusals.ts'
import { createReadReproduction } from '../reproduction/read-reproduction.ts'
import { createFindBestRuns } from '../search/find-best-runs.ts'
import { requireRunId } from './run-reference.ts'
import { listOf, optionalInteger, optionalText, text } from './wire.ts'

const read = { errors: 'problem', method: 'GET', access: 'read' } as const
const MAX_COMPARED = 100
const MAX_BEST = 1000

/** Beside MLflow: runs side by side, the best of an experiment, and how to repeat one. */
export function comparisonRoutes(deps: TrackingParts): Route[] {
  return [compareRoute(deps), bestRoute(deps), reproductionRoute(deps)]
}

function compareRoute(deps: TrackingParts): Route {
  const compare = createCompareRuns(deps)
  return route({
    ...read,
    path: '/api/v1/runs/compare',
    summary: 'Runs side by side: params, metrics, tags, what differs and what is missing. As CSV with `format=csv` or `accept: text/csv`.',
    query: z.looseObject({ run_ids: listOf(z.string()), format: z.enum(['json', 'csv']).optional() }),
    response: runComparison,
    handle: async ({ query, headers }) => {
      const comparison = await compare(requireRunIds(query.run_ids))
      const format = query.format ?? (/\btext\/csv\b/.test(headers.accept ?? '') ? 'csv' : 'json')
      if (format === 'json') return ok(comparison)
      return ok(comparisonCsv(comparison), { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': 'attachment; filename="runs.csv"' })
    },
  })
}

function requireRunIds(lists: readonly string[]): string[] {
  const ids = [...new Set(lists.flatMap((list) => list.split(',')).map((id) => id.trim()))].filter((id) => id !== '')
  if (ids.length === 0 || ids.length > MAX_COMPARED) throw invalid(`run_ids names ${ids.length} runs: name 1 to ${MAX_COMPARED}, separated by commas`)
  return ids.map((id) => requireRunId({ run_id: id }))
}

function bestRoute(deps: TrackingParts): Route {
  const findBest = createFindBestRuns(deps)
  return route({
    ...read,
    path: '/api/v1/experiments/:id/best',
    summary: 'The best runs of an experiment by the latest value of a metric; NaN is never among them, of equal ones the earliest comes first.',
    params: z.object({ id: text }),
    query: z.looseObject({ metric: text, mode: z.enum(['max', 'min']).default('max'), filter: optionalText, limit: optionalInteger }),
    response: bestRuns,
    handle: async ({ params, query }) => {
      const limit = query.limit ?? 1
      if (limit < 1 || limit > MAX_BEST) throw invalid(`Invalid limit ${limit}: expected 1 to ${MAX_BEST}`)
      const { metric, mode, filter = '' } = query
      return ok(await findBest({ experimentId: readExperimentId(params.id), metric, mode, filter, limit }))
    },
  })
}

function reproductionRoute(deps: TrackingParts): Route {
  const readReproduction = createReadReproduction(deps)
  return route({
    ...read,
    path: '/api/v1/runs/:run_id/reproduction',
    summary: 'How a run came about: code, params, seeds, data, environment; the training job that repeats it; and what is missing for that.',
    params: z.object({ run_id: text }),
    response: runReproduction,
    handle: async ({ params }) => ok(await readReproduction(requireRunId(params))),
  })
}
