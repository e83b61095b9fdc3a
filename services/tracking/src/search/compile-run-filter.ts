import { compare, compareKeyed, type KeyedTable, type SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import type { Condition } from '@millrace/platform/search/parse-filter.ts'

/** The latest point of a metric; NaN compares with nothing. */
const keyed: Readonly<Record<string, KeyedTable>> = {
  metric: { table: 'metric_series', owner: 'kv.run_id = r.run_id and not kv.is_nan' },
  param: { table: 'run_param', owner: 'kv.run_id = r.run_id' },
  tag: { table: 'run_tag', owner: 'kv.run_id = r.run_id' },
}

const datasetColumns: Readonly<Record<string, string>> = { name: 'd.name', digest: 'd.digest', context: "l.tags ->> 'mlflow.data.context'" }

/** Each condition as a clause on `run r`. Those on data sets hold together for one of them. */
export function compileRunConditions(conditions: readonly Condition[], parameters: SqlParameters): string[] {
  const ofDatasets = conditions.filter((condition) => condition.entity === 'dataset')
  const others = conditions.filter((condition) => condition.entity !== 'dataset').map((condition) => compileOne(condition, parameters))
  return ofDatasets.length === 0 ? others : [...others, compileDatasets(ofDatasets, parameters)]
}

function compileOne(condition: Condition, parameters: SqlParameters): string {
  const table = keyed[condition.entity]
  // The rules name no attribute that is not a column of `run`.
  return table ? compareKeyed(table, condition, parameters) : compare(`r.${condition.key}`, condition, parameters)
}

function compileDatasets(conditions: readonly Condition[], parameters: SqlParameters): string {
  const clauses = conditions.map((condition) => compare(`(${datasetColumns[condition.key]})`, condition, parameters))
  return `exists (select 1 from run_dataset l join dataset d using (dataset_id) where l.run_id = r.run_id and ${clauses.join(' and ')})`
}
