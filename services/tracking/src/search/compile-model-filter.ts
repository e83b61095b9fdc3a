import { compare, compareKeyed, type SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import type { Condition } from '@millrace/platform/search/parse-filter.ts'

/** A data set that metrics were measured on; null takes any digest. */
export interface DatasetScope {
  readonly name: string
  readonly digest: string | null
}

const columns: Readonly<Record<string, string>> = { experiment_id: 'm.experiment_id::text' }

/** Each condition as a clause on `logged_model m`. Data sets limit what metrics are looked at; alone they ask for any metric on one of them. */
export function compileModelConditions(conditions: readonly Condition[], datasets: readonly DatasetScope[], parameters: SqlParameters): string[] {
  const scope = datasets.length === 0 ? '' : ` and (${datasets.map((dataset) => onDataset(dataset, parameters)).join(' or ')})`
  const clauses = conditions.map((condition) => compileOne(condition, scope, parameters))
  const hasMetric = conditions.some((condition) => condition.entity === 'metric')
  return scope && !hasMetric ? [...clauses, `exists (select 1 from logged_model_metric kv where kv.model_id = m.model_id${scope})`] : clauses
}

function onDataset({ name, digest }: DatasetScope, parameters: SqlParameters): string {
  const byName = `kv.dataset_name = ${parameters.add(name)}`
  return digest === null ? byName : `(${byName} and kv.dataset_digest = ${parameters.add(digest)})`
}

function compileOne(condition: Condition, scope: string, parameters: SqlParameters): string {
  const owner = 'kv.model_id = m.model_id'
  switch (condition.entity) {
    case 'metric':
      return compareKeyed({ table: 'logged_model_metric', owner: `${owner} and not kv.is_nan${scope}` }, condition, parameters)
    case 'param':
      return compareKeyed({ table: 'logged_model_param', owner }, condition, parameters)
    case 'tag':
      return compareKeyed({ table: 'logged_model_tag', owner }, condition, parameters)
    default:
      return compare(columns[condition.key] ?? `m.${condition.key}`, condition, parameters)
  }
}
