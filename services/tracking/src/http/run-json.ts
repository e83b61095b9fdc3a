import type { KeyValue } from '../domain/batch.ts'
import { type ModelPoint, type Point, shownValue } from '../domain/metric.ts'
import type { Run } from '../domain/run.ts'
import type { RunView } from '../read-run.ts'
import type { DatasetInput, RunLinks } from '../store/inputs.ts'

/** Unset scalars and empty lists are left out, as protobuf's JSON does. */
const list = <Item>(name: string, items: readonly Item[]): Record<string, readonly Item[]> => (items.length > 0 ? { [name]: items } : {})

export const runInfoJson = (run: Run) => ({
  run_id: run.runId,
  run_uuid: run.runId,
  run_name: run.runName,
  experiment_id: String(run.experimentId),
  user_id: run.userId,
  status: run.status,
  start_time: run.startTime,
  ...(run.endTime === null ? {} : { end_time: run.endTime }),
  artifact_uri: run.artifactUri,
  lifecycle_stage: run.lifecycle,
})

export const metricJson = (point: Point) => ({ key: point.key, value: shownValue(point), timestamp: point.timestamp, step: point.step })

export const modelMetricJson = (point: ModelPoint) => ({
  ...metricJson(point),
  model_id: point.modelId,
  run_id: point.runId,
  ...(point.datasetName ? { dataset_name: point.datasetName } : {}),
  ...(point.datasetDigest ? { dataset_digest: point.datasetDigest } : {}),
})

const datasetJson = ({ dataset, tags }: DatasetInput) => ({
  ...list<KeyValue>('tags', tags),
  dataset: {
    name: dataset.name,
    digest: dataset.digest,
    source_type: dataset.sourceType,
    source: dataset.source,
    ...(dataset.schema === null ? {} : { schema: dataset.schema }),
    ...(dataset.profile === null ? {} : { profile: dataset.profile }),
  },
})

const inputsJson = (links: RunLinks) => ({
  ...list('dataset_inputs', links.datasets.map(datasetJson)),
  ...list(
    'model_inputs',
    links.inputs.map((link) => ({ model_id: link.modelId })),
  ),
})

export const runJson = ({ run, data, links }: RunView) => ({
  info: runInfoJson(run),
  data: { ...list('metrics', data.metrics.map(metricJson)), ...list('params', data.params), ...list('tags', data.tags) },
  inputs: inputsJson(links),
  ...(links.outputs.length > 0 ? { outputs: { model_outputs: links.outputs.map((link) => ({ model_id: link.modelId, step: link.step })) } } : {}),
})
