import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { KeyValue } from '../domain/batch.ts'
import type { LoggedModel, LoggedModelStatus } from '../domain/logged-model.ts'
import type { Lifecycle } from '../domain/run.ts'
import type { Found } from './experiments.ts'
import { pairs } from './key-values.ts'
import type { RunQuery } from './runs.ts'

interface ModelRow {
  model_id: string
  experiment_id: number
  name: string
  model_type: string
  source_run_id: string
  status: LoggedModelStatus
  status_message: string
  artifact_uri: string
  creation_timestamp: number
  last_updated_timestamp: number
  lifecycle_stage: Lifecycle
  tags: [string, string][] | null
  params: [string, string][] | null
}

const aggregated = (table: string, name: string): string =>
  `(select json_agg(json_build_array(kv.key, kv.value) order by kv.key collate "C") from ${table} kv where kv.model_id = m.model_id) as ${name}`

const COLUMNS = `m.model_id, m.experiment_id, m.name, m.model_type, m.source_run_id, m.status, m.status_message, m.artifact_uri,
  m.creation_timestamp, m.last_updated_timestamp, m.lifecycle_stage, ${aggregated('logged_model_tag', 'tags')}, ${aggregated('logged_model_param', 'params')}`

const toModel = (row: ModelRow): LoggedModel => ({
  modelId: row.model_id,
  experimentId: row.experiment_id,
  name: row.name,
  modelType: row.model_type,
  sourceRunId: row.source_run_id,
  status: row.status,
  statusMessage: row.status_message,
  artifactUri: row.artifact_uri,
  creationTime: row.creation_timestamp,
  lastUpdateTime: row.last_updated_timestamp,
  lifecycle: row.lifecycle_stage,
  tags: pairs(row.tags),
  params: pairs(row.params),
})

export async function insertLoggedModel(tx: Sql, model: LoggedModel): Promise<void> {
  await tx.query(
    `insert into logged_model (model_id, experiment_id, name, model_type, source_run_id, status, artifact_uri, creation_timestamp,
      last_updated_timestamp) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      model.modelId,
      model.experimentId,
      model.name,
      model.modelType,
      model.sourceRunId,
      model.status,
      model.artifactUri,
      model.creationTime,
      model.lastUpdateTime,
    ],
  )
  await upsertModelPairs(tx, 'logged_model_tag', model.modelId, model.tags)
  await upsertModelPairs(tx, 'logged_model_param', model.modelId, model.params)
}

export async function findLoggedModel(sql: Sql, modelId: string): Promise<LoggedModel | null> {
  const [row] = await sql.query<ModelRow>(`select ${COLUMNS} from logged_model m where m.model_id = $1`, [modelId])
  return row ? toModel(row) : null
}

/** The newest logged model of a run with this name. */
export async function findModelOfRun(sql: Sql, runId: string, name: string): Promise<LoggedModel | null> {
  const [row] = await sql.query<ModelRow>(
    `select ${COLUMNS} from logged_model m where m.source_run_id = $1 and m.name = $2 and m.lifecycle_stage = 'active'
      order by m.creation_timestamp desc, m.model_id desc limit 1`,
    [runId, name],
  )
  return row ? toModel(row) : null
}

/** Held until the transaction ends. */
export async function lockLoggedModel(tx: Sql, modelId: string): Promise<Lifecycle | null> {
  const [row] = await tx.query<{ lifecycle_stage: Lifecycle }>('select lifecycle_stage from logged_model where model_id = $1 for update', [modelId])
  return row?.lifecycle_stage ?? null
}

export async function setLoggedModelStatus(tx: Sql, modelId: string, status: LoggedModelStatus, now: number): Promise<void> {
  await tx.query('update logged_model set status = $2, last_updated_timestamp = $3 where model_id = $1', [modelId, status, now])
}

export async function markLoggedModelDeleted(tx: Sql, modelId: string, now: number): Promise<void> {
  await tx.query("update logged_model set lifecycle_stage = 'deleted', last_updated_timestamp = $2 where model_id = $1", [modelId, now])
}

export async function upsertModelPairs(tx: Sql, table: 'logged_model_tag' | 'logged_model_param', modelId: string, rows: readonly KeyValue[]): Promise<void> {
  if (rows.length === 0) return
  await tx.query(
    `insert into ${table} (model_id, key, value) select $1, key, value from unnest($2::text[], $3::text[]) as t (key, value)
      on conflict (model_id, key) do update set value = excluded.value`,
    [modelId, rows.map((row) => row.key), rows.map((row) => row.value)],
  )
}

export async function deleteModelTag(tx: Sql, modelId: string, key: string): Promise<boolean> {
  const rows = await tx.query('delete from logged_model_tag where model_id = $1 and key = $2 returning key', [modelId, key])
  return rows.length > 0
}

/** Rows of a compiled search; its clauses hold placeholders only. */
export async function queryLoggedModels(sql: Sql, search: RunQuery): Promise<Found<LoggedModel>[]> {
  const rows = await sql.query<ModelRow & { sort_key: Found<LoggedModel>['sortKey'] }>(
    `select ${COLUMNS}, ${search.selection} from logged_model m ${search.joins} where ${search.where} order by ${search.order} limit ${search.limit}`,
    search.values,
  )
  return rows.map((row) => ({ item: toModel(row), sortKey: row.sort_key }))
}

/** Which of these ids no logged model has. */
export async function findMissingModels(sql: Sql, modelIds: readonly string[]): Promise<string[]> {
  const rows = await sql.query<{ model_id: string }>(
    `select t.model_id from unnest($1::text[]) as t (model_id)
      where not exists (select 1 from logged_model m where m.model_id = t.model_id and m.lifecycle_stage = 'active')`,
    [modelIds],
  )
  return rows.map((row) => row.model_id)
}
