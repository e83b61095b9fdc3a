import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { ModelPoint } from '../domain/metric.ts'

interface Row {
  model_id: string
  key: string
  run_id: string
  dataset_name: string
  dataset_digest: string
  timestamp: number
  step: number
  value: number
  is_nan: boolean
}

/** Points measured on logged models, by model: the latest of each key, run and data set. */
export async function loadModelMetrics(sql: Sql, modelIds: readonly string[]): Promise<(modelId: string) => readonly ModelPoint[]> {
  if (modelIds.length === 0) return () => []
  const rows = await sql.query<Row>(
    `select distinct on (model_id, key, run_id, dataset_name, dataset_digest)
        model_id, key, run_id, dataset_name, dataset_digest, timestamp, step, value, is_nan
      from logged_model_metric where model_id = any($1)
      order by model_id, key, run_id, dataset_name, dataset_digest, step desc, timestamp desc, value desc, is_nan`,
    [modelIds],
  )
  const byModel = Map.groupBy(rows.map(toPoint), (point) => point.modelId)
  return (modelId) => byModel.get(modelId) ?? []
}

const toPoint = (row: Row): ModelPoint => ({
  modelId: row.model_id,
  key: row.key,
  runId: row.run_id,
  datasetName: row.dataset_name,
  datasetDigest: row.dataset_digest,
  timestamp: row.timestamp,
  step: row.step,
  value: row.value,
  isNan: row.is_nan,
})
