import type { Caller } from '@millrace/platform/http/identity.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { readableOf, visibleExperiments } from '../access/visible-experiments.ts'
import type { TrackingDeps } from '../deps.ts'
import { readExperimentId } from '../refusals.ts'
import { createSearchExperiments } from '../search/search-experiments.ts'
import { createSearchRuns } from '../search/search-runs.ts'
import { experimentJson } from './experiment-routes.ts'
import { runJson } from './run-json.ts'
import { listOf, optionalInteger, optionalText, text, viewType } from './wire.ts'

const mlflow = { errors: 'mlflow', access: 'read' } as const
/** What older clients, which list without a size, get at most. */
const LIST_RESULTS = 1000

/** Empty lists and the token of a last page are left out. */
export const pageJson = (name: string, items: readonly unknown[], nextPageToken: string | null) => ({
  ...(items.length > 0 ? { [name]: items } : {}),
  ...(nextPageToken === null ? {} : { next_page_token: nextPageToken }),
})

const page = { max_results: optionalInteger, page_token: optionalText }
const experimentSearch = z.looseObject({ ...page, filter: optionalText, order_by: listOf(z.string()), view_type: viewType })
type ExperimentSearchInput = z.infer<typeof experimentSearch>

export function searchRoutes(deps: TrackingDeps): Route[] {
  return [...experimentSearchRoutes(deps), runSearchRoute(deps)]
}

function experimentSearchRoutes(deps: TrackingDeps): Route[] {
  const search = createSearchExperiments(deps)
  const answer = async (input: ExperimentSearchInput, absent: number, caller: Caller) => {
    const { items, nextPageToken } = await search({
      filter: input.filter ?? '',
      orderBy: input.order_by,
      view: input.view_type,
      maxResults: input.max_results ?? absent,
      pageToken: input.page_token ?? '',
      visible: await visibleExperiments(deps.database, caller),
    })
    return ok(pageJson('experiments', items.map(experimentJson), nextPageToken))
  }
  const summary = 'Experiments by filter and order, page by page.'
  const path = '/experiments/search'
  return [
    route({ ...mlflow, method: 'POST', path, summary, body: experimentSearch, handle: ({ body, caller }) => answer(body, 0, caller) }),
    route({ ...mlflow, method: 'GET', path, summary, query: experimentSearch, handle: ({ query, caller }) => answer(query, 0, caller) }),
    route({
      ...mlflow,
      method: 'GET',
      path: '/experiments/list',
      summary,
      query: experimentSearch,
      handle: ({ query, caller }) => answer(query, LIST_RESULTS, caller),
    }),
  ]
}

function runSearchRoute(deps: TrackingDeps): Route {
  const search = createSearchRuns(deps)
  return route({
    ...mlflow,
    method: 'POST',
    path: '/runs/search',
    summary: 'Runs of experiments by filter and order, page by page.',
    maxBodyBytes: 4 * 1024 * 1024,
    body: z.looseObject({ ...page, experiment_ids: listOf(text), filter: optionalText, run_view_type: viewType, order_by: listOf(z.string()) }),
    handle: async ({ body, caller }) => {
      const { items, nextPageToken } = await search({
        experimentIds: await readableOf(deps.database, caller, body.experiment_ids.map(readExperimentId)),
        filter: body.filter ?? '',
        orderBy: body.order_by,
        view: body.run_view_type,
        maxResults: body.max_results ?? 1000,
        pageToken: body.page_token ?? '',
      })
      return ok(pageJson('runs', items.map(runJson), nextPageToken))
    },
  })
}
