import { type LoggedModel, parseRegistrations, REGISTRATIONS_TAG } from '../domain/logged-model.ts'
import type { ModelPoint } from '../domain/metric.ts'
import { modelMetricJson } from './run-json.ts'

export function loggedModelJson(model: LoggedModel, metrics: readonly ModelPoint[]) {
  const registered = model.tags.find((tag) => tag.key === REGISTRATIONS_TAG)
  const registrations = registered ? (parseRegistrations(registered.value) ?? []) : []
  return {
    info: {
      model_id: model.modelId,
      experiment_id: String(model.experimentId),
      name: model.name,
      creation_timestamp_ms: model.creationTime,
      last_updated_timestamp_ms: model.lastUpdateTime,
      artifact_uri: model.artifactUri,
      status: model.status,
      model_type: model.modelType,
      source_run_id: model.sourceRunId,
      status_message: model.statusMessage,
      ...(model.tags.length > 0 ? { tags: model.tags } : {}),
      ...(registrations.length > 0 ? { registrations } : {}),
    },
    data: {
      ...(model.params.length > 0 ? { params: model.params } : {}),
      ...(metrics.length > 0 ? { metrics: metrics.map(modelMetricJson) } : {}),
    },
  }
}
