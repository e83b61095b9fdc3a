import type { Sql } from '@millrace/platform/sql/sql.ts'

/** A data set that runs of an experiment read, once per context in which they did. */
export interface DatasetSummary {
  readonly experimentId: number
  readonly name: string
  readonly digest: string
  readonly context: string | null
}

interface Row {
  experiment_id: number
  name: string
  digest: string
  context: string | null
}

/** At most `limit`, by experiment, name, digest and context. */
export async function summarizeDatasets(sql: Sql, experimentIds: readonly number[], limit: number): Promise<DatasetSummary[]> {
  const rows = await sql.query<Row>(
    `select distinct d.experiment_id, d.name collate "C" as name, d.digest collate "C" as digest, l.tags ->> 'mlflow.data.context' as context
      from dataset d join run_dataset l using (dataset_id) where d.experiment_id = any($1::int8[]) order by 1, 2, 3, 4 limit $2`,
    [experimentIds, limit],
  )
  return rows.map((row) => ({ experimentId: row.experiment_id, name: row.name, digest: row.digest, context: row.context }))
}
