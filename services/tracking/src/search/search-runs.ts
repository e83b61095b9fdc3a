import { SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import { afterClause, decodePageToken, keysetSelection, orderClause } from '@millrace/platform/search/keyset.ts'
import { parseFilter } from '@millrace/platform/search/parse-filter.ts'
import { parseOrderBy } from '@millrace/platform/search/parse-order.ts'
import type { TrackingDeps } from '../deps.ts'
import { type RunView, viewRuns } from '../read-run.ts'
import { queryRuns } from '../store/runs.ts'
import { compileRunConditions } from './compile-run-filter.ts'
import { compileRunOrder } from './compile-run-order.ts'
import { checkMaxResults, type Page, pageOf, stageCondition, type ViewType } from './page.ts'
import { runRules } from './run-rules.ts'

export interface RunSearch {
  readonly experimentIds: readonly number[]
  readonly filter: string
  readonly orderBy: readonly string[]
  readonly view: ViewType
  readonly maxResults: number
  readonly pageToken: string
}

const MAX_RESULTS = 50_000

/** Runs of the experiments with all that was logged to them; none without an experiment. @throws AppError INVALID_PARAMETER_VALUE in MLflow's words */
export const createSearchRuns = (deps: TrackingDeps) =>
  async function searchRuns(search: RunSearch): Promise<Page<RunView>> {
    checkMaxResults(search.maxResults, MAX_RESULTS)
    const parameters = new SqlParameters()
    const scope = [experimentCondition(search.experimentIds, parameters), stageCondition('r.lifecycle_stage', search.view)]
    const conditions = compileRunConditions(parseFilter(search.filter, runRules), parameters)
    const { joins, columns } = compileRunOrder(parseOrderBy(search.orderBy, runRules), parameters)
    const token = decodePageToken(search.pageToken, columns)
    if (search.experimentIds.length === 0) return { items: [], nextPageToken: null }
    const after = token ? [afterClause(columns, token.key, parameters)] : []
    const found = await queryRuns(deps.database, {
      joins: joins.join(' '),
      where: [...scope, ...conditions, ...after].join(' and '),
      order: orderClause(columns),
      selection: keysetSelection(columns),
      limit: search.maxResults + 1,
      values: parameters.values,
    })
    const page = pageOf(found, search.maxResults)
    return { items: await viewRuns(deps.database, page.items), nextPageToken: page.nextPageToken }
  }

/** One experiment is asked for by equality, so that the index also gives the order. */
function experimentCondition(ids: readonly number[], parameters: SqlParameters): string {
  const [only] = ids
  return ids.length === 1 ? `r.experiment_id = ${parameters.add(only)}::int8` : `r.experiment_id = any(${parameters.add(ids)}::int8[])`
}
