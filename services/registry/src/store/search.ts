import { compare, compareKeyed, type KeyedTable, SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import { afterClause, keysetSelection, orderClause, type SortColumn, type SortKey } from '@millrace/platform/search/keyset.ts'
import type { Condition } from '@millrace/platform/search/parse-filter.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { MODEL_COLUMNS, type ModelRow } from './models.ts'
import { VERSION_COLUMNS, type VersionRow } from './versions.ts'

export interface SearchQuery {
  readonly conditions: readonly Condition[]
  readonly columns: readonly SortColumn[]
  /** Names of models; null for all. */
  readonly visible: readonly string[] | null
  readonly after: SortKey | null
  /** One more than the page shows tells whether there is another. */
  readonly limit: number
}

export type Found<Row> = Row & { readonly sort_key: SortKey }

/** Prompts share the tables of models; who does not ask for them does not see them. */
export const PROMPT_TAG = 'mlflow.prompt.is_prompt'

const millis = (column: string): string => `(extract(epoch from ${column}) * 1000)::bigint`

export const modelSort: Readonly<Record<string, Omit<SortColumn, 'ascending'>>> = {
  name: { expression: 'm.name', type: 'text' },
  last_updated_timestamp: { expression: millis('m.updated_at'), type: 'bigint' },
}

export const versionSort: Readonly<Record<string, Omit<SortColumn, 'ascending'>>> = {
  name: { expression: 'm.name', type: 'text' },
  version_number: { expression: 'v.version::bigint', type: 'bigint' },
  creation_timestamp: { expression: millis('v.created_at'), type: 'bigint' },
  last_updated_timestamp: { expression: millis('v.updated_at'), type: 'bigint' },
}

const versionFields: Readonly<Record<string, string>> = {
  name: 'm.name',
  source_path: 'v.source',
  run_id: 'v.run_id',
  version_number: 'v.version',
  stage: 'lower(v.stage)',
}

export async function searchModels(sql: Sql, query: SearchQuery): Promise<Found<ModelRow>[]> {
  const parameters = new SqlParameters()
  const where = conditionsOf(query, { name: 'm.name' }, 'm.tags', parameters)
  const text = `select ${MODEL_COLUMNS}, ${keysetSelection(query.columns)} from registered_model m where ${where}
    order by ${orderClause(query.columns)} limit ${parameters.add(query.limit)}::int`
  return sql.query<Found<ModelRow>>(text, parameters.values)
}

export async function searchVersions(sql: Sql, query: SearchQuery): Promise<Found<VersionRow>[]> {
  const parameters = new SqlParameters()
  const where = conditionsOf(query, versionFields, 'v.tags', parameters)
  const text = `select ${VERSION_COLUMNS}, ${keysetSelection(query.columns)} from model_version v join registered_model m on m.id = v.model_id
    where v.deleted_at is null and ${where} order by ${orderClause(query.columns)} limit ${parameters.add(query.limit)}::int`
  return sql.query<Found<VersionRow>>(text, parameters.values)
}

function conditionsOf(query: SearchQuery, fields: Readonly<Record<string, string>>, tags: string, parameters: SqlParameters): string {
  const keyed: KeyedTable = { table: `jsonb_each_text(${tags})`, owner: 'true' }
  const ordinary = query.conditions.filter((condition) => promptChoice(condition) === null)
  const clauses = ordinary.map((condition) =>
    condition.entity === 'tag' ? compareKeyed(keyed, condition, parameters) : compare(fields[condition.key] ?? 'null', lowered(condition), parameters),
  )
  const choices = query.conditions.map(promptChoice).filter((choice) => choice !== null)
  const isPrompt = `coalesce(lower(${tags} ->> '${PROMPT_TAG}'), 'false') = 'true'`
  const prompts = (choices.length === 0 ? [false] : choices).map((wanted) => (wanted ? isPrompt : `not ${isPrompt}`))
  const visible = query.visible === null ? [] : [`m.name = any(${parameters.add(query.visible)}::text[])`]
  return [...visible, ...clauses, ...prompts, ...(query.after ? [afterClause(query.columns, query.after, parameters)] : [])].join(' and ')
}

/** True where a condition asks for prompts, false where it asks for what is none (rows without the tag too), null where it is about something else. */
function promptChoice({ entity, key, comparator, value }: Condition): boolean | null {
  if (entity !== 'tag' || key !== PROMPT_TAG || (comparator !== '=' && comparator !== '!=')) return null
  return (String(value).toLowerCase() === 'true') === (comparator === '=')
}

const lowered = (condition: Condition): Condition =>
  condition.key === 'stage' && typeof condition.value === 'string' ? { ...condition, value: condition.value.toLowerCase() } : condition
