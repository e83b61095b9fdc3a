import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { KeyValue } from '../domain/batch.ts'
import type { Experiment } from '../domain/experiment.ts'
import type { Lifecycle } from '../domain/run.ts'
import { pairs } from './key-values.ts'

interface ExperimentRow {
  experiment_id: number
  name: string
  artifact_location: string
  lifecycle_stage: Lifecycle
  creation_time: number
  last_update_time: number
  tags: [string, string][] | null
}

const COLUMNS = `e.experiment_id, e.name, e.artifact_location, e.lifecycle_stage, e.creation_time, e.last_update_time,
  (select json_agg(json_build_array(t.key, t.value) order by t.key) from experiment_tag t where t.experiment_id = e.experiment_id) as tags`

const toExperiment = (row: ExperimentRow): Experiment => ({
  experimentId: row.experiment_id,
  name: row.name,
  artifactLocation: row.artifact_location,
  lifecycle: row.lifecycle_stage,
  creationTime: row.creation_time,
  lastUpdateTime: row.last_update_time,
  tags: pairs(row.tags),
})

/** The id of the new experiment, or null where the name is taken. */
export async function insertExperiment(tx: Sql, name: string, now: number): Promise<number | null> {
  const [row] = await tx.query<{ experiment_id: number }>(
    'insert into experiment (name, creation_time, last_update_time) values ($1, $2, $2) on conflict (name) do nothing returning experiment_id',
    [name, now],
  )
  return row?.experiment_id ?? null
}

export async function setArtifactLocation(tx: Sql, experimentId: number, location: string): Promise<void> {
  await tx.query('update experiment set artifact_location = $2 where experiment_id = $1', [experimentId, location])
}

export async function findExperiment(sql: Sql, experimentId: number): Promise<Experiment | null> {
  const [row] = await sql.query<ExperimentRow>(`select ${COLUMNS} from experiment e where e.experiment_id = $1`, [experimentId])
  return row ? toExperiment(row) : null
}

/** Held until the transaction ends: an experiment that something begins in is not deleted before that is there to be deleted with it. */
export async function holdExperiment(tx: Sql, experimentId: number): Promise<Experiment | null> {
  const [row] = await tx.query<ExperimentRow>(`select ${COLUMNS} from experiment e where e.experiment_id = $1 for key share of e`, [experimentId])
  return row ? toExperiment(row) : null
}

export async function findExperimentByName(sql: Sql, name: string): Promise<Experiment | null> {
  const [row] = await sql.query<ExperimentRow>(`select ${COLUMNS} from experiment e where e.name = $1`, [name])
  return row ? toExperiment(row) : null
}

/** Held until the transaction ends: changes of one experiment happen one after another. */
export async function lockExperiment(tx: Sql, experimentId: number): Promise<Lifecycle | null> {
  const [row] = await tx.query<{ lifecycle_stage: Lifecycle }>('select lifecycle_stage from experiment where experiment_id = $1 for update', [experimentId])
  return row?.lifecycle_stage ?? null
}

export async function renameExperiment(tx: Sql, experimentId: number, name: string, now: number): Promise<void> {
  await tx.query('update experiment set name = $2, last_update_time = $3 where experiment_id = $1', [experimentId, name, now])
}

/** The experiment with all of its runs. */
export async function setExperimentLifecycle(tx: Sql, experimentId: number, lifecycle: Lifecycle, now: number): Promise<void> {
  await tx.query('update experiment set lifecycle_stage = $2, last_update_time = $3 where experiment_id = $1', [experimentId, lifecycle, now])
  await tx.query('update run set lifecycle_stage = $2 where experiment_id = $1 and lifecycle_stage <> $2', [experimentId, lifecycle])
}

export async function upsertExperimentTags(tx: Sql, experimentId: number, tags: readonly KeyValue[]): Promise<void> {
  if (tags.length === 0) return
  await tx.query(
    `insert into experiment_tag (experiment_id, key, value) select $1, key, value from unnest($2::text[], $3::text[]) as t (key, value)
      on conflict (experiment_id, key) do update set value = excluded.value`,
    [experimentId, tags.map((tag) => tag.key), tags.map((tag) => tag.value)],
  )
}

export async function deleteExperimentTag(tx: Sql, experimentId: number, key: string): Promise<boolean> {
  const rows = await tx.query('delete from experiment_tag where experiment_id = $1 and key = $2 returning key', [experimentId, key])
  return rows.length > 0
}

export interface Found<Item> {
  readonly item: Item
  readonly sortKey: readonly (string | number | null)[]
}

/** Rows of a compiled search; the statement's clauses hold placeholders only. */
export async function queryExperiments(
  sql: Sql,
  search: { where: string; order: string; selection: string; limit: number; values: readonly unknown[] },
): Promise<Found<Experiment>[]> {
  const rows = await sql.query<ExperimentRow & { sort_key: Found<Experiment>['sortKey'] }>(
    `select ${COLUMNS}, ${search.selection} from experiment e where ${search.where} order by ${search.order} limit ${search.limit}`,
    search.values,
  )
  return rows.map((row) => ({ item: toExperiment(row), sortKey: row.sort_key }))
}
