import { SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import { afterClause, decodePageToken, keysetSelection, orderClause, type PageToken } from '@millrace/platform/search/keyset.ts'
import { parseFilter } from '@millrace/platform/search/parse-filter.ts'
import type { TrackingDeps } from '../deps.ts'
import type { LoggedModel } from '../domain/logged-model.ts'
import { invalid } from '../refusals.ts'
import { queryLoggedModels } from '../store/logged-models.ts'
import { compileModelConditions, type DatasetScope } from './compile-model-filter.ts'
import { compileModelOrder, type ModelOrder } from './compile-model-order.ts'
import { loggedModelRules } from './logged-model-rules.ts'
import { checkMaxResults, type Page, pageOf } from './page.ts'

export interface LoggedModelSearch {
  readonly experimentIds: readonly number[]
  readonly filter: string
  readonly datasets: readonly DatasetScope[]
  readonly orderBy: readonly ModelOrder[]
  readonly maxResults: number
  readonly pageToken: string
}

const MAX_RESULTS = 50_000

/** @throws AppError INVALID_PARAMETER_VALUE in MLflow's words */
export const createSearchLoggedModels = (deps: TrackingDeps) =>
  async function searchLoggedModels(search: LoggedModelSearch): Promise<Page<LoggedModel>> {
    checkMaxResults(search.maxResults, MAX_RESULTS)
    const parameters = new SqlParameters()
    const scope = `m.experiment_id = any(${parameters.add(search.experimentIds)}::int8[]) and m.lifecycle_stage = 'active'`
    const conditions = compileModelConditions(parseFilter(search.filter, loggedModelRules), search.datasets, parameters)
    const { joins, columns } = compileModelOrder(search.orderBy, parameters)
    const token = decodePageToken(search.pageToken, columns)
    const bound = boundOf(search)
    refuseOtherSearch(token, bound)
    const found = await queryLoggedModels(deps.database, {
      joins: joins.join(' '),
      where: [scope, ...conditions, ...(token ? [afterClause(columns, token.key, parameters)] : [])].join(' and '),
      order: orderClause(columns),
      selection: keysetSelection(columns),
      limit: search.maxResults + 1,
      values: parameters.values,
    })
    return pageOf(found, search.maxResults, bound)
  }

const boundOf = ({ experimentIds, filter, orderBy }: LoggedModelSearch) => ({
  experimentIds: JSON.stringify(experimentIds),
  orderBy: JSON.stringify(orderBy),
  filter,
})

/** A token goes on with the search that made it, and with no other. */
function refuseOtherSearch(token: PageToken | null, bound: ReturnType<typeof boundOf>): void {
  if (!token) return
  const named = { experimentIds: 'Experiment IDs', orderBy: 'Order by', filter: 'Filter string' } as const
  for (const part of ['experimentIds', 'orderBy', 'filter'] as const) {
    if (token.bound[part] === bound[part]) continue
    throw invalid(`${named[part]} in the page token ${part === 'experimentIds' ? 'do' : 'does'} not match the requested: ${bound[part]}`)
  }
}
