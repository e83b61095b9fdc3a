import { compare, compareKeyed, SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import { afterClause, decodePageToken, keysetSelection, orderClause, type SortColumn } from '@millrace/platform/search/keyset.ts'
import { type Condition, parseFilter } from '@millrace/platform/search/parse-filter.ts'
import { type OrderTerm, parseOrderBy } from '@millrace/platform/search/parse-order.ts'
import type { TrackingDeps } from '../deps.ts'
import type { Experiment } from '../domain/experiment.ts'
import { queryExperiments } from '../store/experiments.ts'
import { experimentRules } from './experiment-rules.ts'
import { checkMaxResults, type Page, pageOf, stageCondition, type ViewType } from './page.ts'

export interface ExperimentSearch {
  readonly filter: string
  readonly orderBy: readonly string[]
  readonly view: ViewType
  readonly maxResults: number
  readonly pageToken: string
  /** The ids that the caller may see; null for all. */
  readonly visible: readonly number[] | null
}

const MAX_RESULTS = 50_000

/** @throws AppError INVALID_PARAMETER_VALUE in MLflow's words */
export const createSearchExperiments = (deps: TrackingDeps) =>
  async function searchExperiments(search: ExperimentSearch): Promise<Page<Experiment>> {
    checkMaxResults(search.maxResults, MAX_RESULTS)
    const parameters = new SqlParameters()
    const conditions = parseFilter(search.filter, experimentRules).map((condition) => compile(condition, parameters))
    const visible = search.visible === null ? [] : [`e.experiment_id = any(${parameters.add(search.visible)}::int8[])`]
    const columns = sortColumns(parseOrderBy(search.orderBy, experimentRules))
    const token = decodePageToken(search.pageToken, columns)
    const after = token ? [afterClause(columns, token.key, parameters)] : []
    const found = await queryExperiments(deps.database, {
      where: [stageCondition('e.lifecycle_stage', search.view), ...visible, ...conditions, ...after].join(' and '),
      order: orderClause(columns),
      selection: keysetSelection(columns),
      limit: search.maxResults + 1,
      values: parameters.values,
    })
    return pageOf(found, search.maxResults)
  }

/** The rules name every key that is a column. */
const compile = (condition: Condition, parameters: SqlParameters): string =>
  condition.entity === 'tag'
    ? compareKeyed({ table: 'experiment_tag', owner: 'kv.experiment_id = e.experiment_id' }, condition, parameters)
    : compare(`e.${condition.key}`, condition, parameters)

const newestFirst = { key: 'creation_time', ascending: false }
const byId = { key: 'experiment_id', ascending: true }

function sortColumns(terms: readonly OrderTerm[]): SortColumn[] {
  const wanted = terms.length > 0 ? terms : [newestFirst]
  const unique = wanted.some((term) => term.key === 'experiment_id') ? wanted : [...wanted, byId]
  return unique.map(({ key, ascending }) => ({ expression: `e.${key}`, type: key === 'name' ? 'text' : 'bigint', ascending }))
}
