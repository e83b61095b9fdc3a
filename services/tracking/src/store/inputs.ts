import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { KeyValue } from '../domain/batch.ts'

export interface Dataset {
  readonly name: string
  readonly digest: string
  readonly sourceType: string
  readonly source: string
  readonly schema: string | null
  readonly profile: string | null
}

export interface DatasetInput {
  readonly dataset: Dataset
  readonly tags: readonly KeyValue[]
}

export interface ModelLink {
  readonly modelId: string
  readonly step: number
}

export interface RunLinks {
  readonly datasets: readonly DatasetInput[]
  readonly inputs: readonly ModelLink[]
  readonly outputs: readonly ModelLink[]
}

/** Writers that come at once lock the same rows in the same order, and so never wait for each other in a circle. */
const inOrder = <Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] =>
  items.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : Number(keyOf(left) > keyOf(right))))

/** Links data sets to a run. A data set is known by (experiment, name, digest); a link that is there already keeps its tags. */
export async function linkDatasets(tx: Sql, runId: string, experimentId: number, given: readonly DatasetInput[]): Promise<void> {
  if (given.length === 0) return
  const inputs = inOrder(given, ({ dataset }) => JSON.stringify([dataset.name, dataset.digest]))
  const sets = inputs.map((input) => input.dataset)
  const texts = [sets.map((set) => set.name), sets.map((set) => set.digest)]
  await tx.query(
    `insert into dataset (experiment_id, name, digest, source_type, source, schema, profile)
      select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) on conflict (experiment_id, name, digest) do nothing`,
    [experimentId, ...texts, sets.map((set) => set.sourceType), sets.map((set) => set.source), sets.map((set) => set.schema), sets.map((set) => set.profile)],
  )
  await tx.query(
    `insert into run_dataset (run_id, dataset_id, tags)
      select $1, d.dataset_id, t.tags::jsonb from unnest($3::text[], $4::text[], $5::text[]) as t (name, digest, tags)
        join dataset d on d.experiment_id = $2 and d.name = t.name and d.digest = t.digest order by d.dataset_id
      on conflict do nothing`,
    [runId, experimentId, ...texts, inputs.map(({ tags }) => JSON.stringify(Object.fromEntries(tags.map((tag) => [tag.key, tag.value]))))],
  )
}

/** Links logged models to a run; the first link of a model stands. */
export async function linkModels(tx: Sql, runId: string, direction: 'input' | 'output', given: readonly ModelLink[]): Promise<void> {
  if (given.length === 0) return
  const links = inOrder(given, (link) => link.modelId)
  await tx.query(
    `insert into run_model (run_id, direction, model_id, step) select $1, $2, * from unnest($3::text[], $4::int8[])
      on conflict (run_id, direction, model_id) do nothing`,
    [runId, direction, links.map((link) => link.modelId), links.map((link) => link.step)],
  )
}

interface DatasetRow {
  run_id: string
  name: string
  digest: string
  source_type: string
  source: string
  schema: string | null
  profile: string | null
  tags: Record<string, string>
}
interface ModelRow {
  run_id: string
  direction: 'input' | 'output'
  model_id: string
  step: number
}

const none: RunLinks = { datasets: [], inputs: [], outputs: [] }

/** What runs read and wrote, by run. */
export async function loadRunLinks(sql: Sql, runIds: readonly string[]): Promise<(runId: string) => RunLinks> {
  if (runIds.length === 0) return () => none
  const datasets = await sql.query<DatasetRow>(
    `select l.run_id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile, l.tags
      from run_dataset l join dataset d using (dataset_id) where l.run_id = any($1) order by d.dataset_id`,
    [runIds],
  )
  const models = await sql.query<ModelRow>('select run_id, direction, model_id, step from run_model where run_id = any($1) order by model_id', [runIds])
  const datasetsByRun = Map.groupBy(datasets, (row) => row.run_id)
  const modelsByRun = Map.groupBy(models, (row) => row.run_id)
  return (runId) => ({
    datasets: (datasetsByRun.get(runId) ?? []).map(toDatasetInput),
    inputs: linksOf(modelsByRun.get(runId), 'input'),
    outputs: linksOf(modelsByRun.get(runId), 'output'),
  })
}

const toDatasetInput = (row: DatasetRow): DatasetInput => ({
  dataset: { name: row.name, digest: row.digest, sourceType: row.source_type, source: row.source, schema: row.schema, profile: row.profile },
  tags: Object.entries(row.tags).map(([key, value]) => ({ key, value })),
})

const linksOf = (rows: readonly ModelRow[] | undefined, direction: 'input' | 'output'): ModelLink[] =>
  (rows ?? []).filter((row) => row.direction === direction).map((row) => ({ modelId: row.model_id, step: row.step }))
