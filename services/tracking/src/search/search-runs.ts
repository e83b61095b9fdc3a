import { SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import { afterClause, decodePageToken, keysetSelection, orderClause, type SortKey } from '@millrace/platform/search/keyset.ts'
import { type Condition, parseFilter } from '@millrace/platform/search/parse-filter.ts'
import { type OrderTerm, parseOrderBy } from '@millrace/platform/search/parse-order.ts'
import type { TrackingDeps } from '../deps.ts'
import type { Run } from '../domain/run.ts'
import { type RunView, viewRuns } from '../read-run.ts'
import type { Found } from '../store/experiments.ts'
import { queryRuns, type RunQuery } from '../store/runs.ts'
import { compileRunConditions } from './compile-run-filter.ts'
import { compileRunOrder, type Part, partsOf, type RunOrder } from './compile-run-order.ts'
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
    const query = { ...search, conditions: parseFilter(search.filter, runRules), terms: parseOrderBy(search.orderBy, runRules) }
    const key = decodePageToken(search.pageToken, compileRunOrder(query.terms, new SqlParameters(), 'all').columns)?.key ?? null
    if (search.experimentIds.length === 0) return { items: [], nextPageToken: null }
    const found: Found<Run>[] = []
    for (const part of partsOf(query.terms)) {
      const limit = search.maxResults + 1 - found.length
      if (limit > 0 && !isBefore(part, key)) found.push(...(await queryRuns(deps.database, compilePart(query, part, key, limit))))
    }
    const page = pageOf(found, search.maxResults)
    return { items: await viewRuns(deps.database, page.items), nextPageToken: page.nextPageToken }
  }

/** Whether the page begins behind the whole part. */
const isBefore = (part: Part, key: SortKey | null): boolean => part === 'valued' && key !== null && key[0] !== 0

interface RunConditions extends Pick<RunSearch, 'experimentIds' | 'view'> {
  readonly conditions: readonly Condition[]
  readonly terms: readonly OrderTerm[]
}

function compilePart(query: RunConditions, part: Part, key: SortKey | null, limit: number): RunQuery {
  const parameters = new SqlParameters()
  const scope = [experimentCondition(query.experimentIds, parameters), stageCondition('r.lifecycle_stage', query.view)]
  const conditions = compileRunConditions(query.conditions, parameters)
  const order = compileRunOrder(query.terms, parameters, part)
  // The rest begins where the valued ones end.
  const after = key && !(part === 'rest' && key[0] === 0) ? [...startOfPart(part, order, key, parameters), afterClause(order.columns, key, parameters)] : []
  return {
    joins: order.joins.join(' '),
    where: [...scope, ...conditions, ...order.where, ...after].join(' and '),
    order: orderClause(order.columns),
    selection: keysetSelection(order.columns),
    limit,
    values: parameters.values,
  }
}

/** Says nothing more than the clause after it, but in a way that lets the index begin there. */
function startOfPart(part: Part, { columns }: RunOrder, key: SortKey, parameters: SqlParameters): string[] {
  const [first] = columns
  return part === 'valued' && first ? [`${first.expression} ${first.ascending ? '>=' : '<='} ${parameters.add(key[1])}::double precision`] : []
}

/** One experiment is asked for by equality, so that the index also gives the order. */
function experimentCondition(ids: readonly number[], parameters: SqlParameters): string {
  const [only] = ids
  return ids.length === 1 ? `r.experiment_id = ${parameters.add(only)}::int8` : `r.experiment_id = any(${parameters.add(ids)}::int8[])`
}
