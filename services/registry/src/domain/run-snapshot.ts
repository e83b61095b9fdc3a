import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import type { Run } from '@millrace/contracts/http/tracking.ts'

/** A data set that a run read. Snapshots of old may lack all but name and digest. */
export interface DatasetSnapshot {
  readonly name: string
  readonly digest: string
  readonly context?: string | null | undefined
  readonly sourceType?: string | null | undefined
  readonly source?: string | null | undefined
}

/** What lineage tells of a run. */
export interface RunSnapshot {
  readonly runId: string
  readonly experimentId: string
  readonly params: Readonly<Record<string, string>>
  /** Finite values only. */
  readonly metrics: Readonly<Record<string, number>>
  readonly tags: Readonly<Record<string, string>>
  readonly datasets: readonly DatasetSnapshot[]
}

export const snapshotOfEvent = (event: RunFinished): RunSnapshot => ({
  runId: event.runId,
  experimentId: event.experimentId,
  params: event.params,
  metrics: event.metrics,
  tags: event.tags,
  datasets: event.datasets.map(({ name, digest, context, sourceType = null, source = null }) => ({ name, digest, context, sourceType, source })),
})

const CONTEXT_TAG = 'mlflow.data.context'

export const snapshotOfRun = (run: Run): RunSnapshot => ({
  runId: run.info.run_id,
  experimentId: run.info.experiment_id,
  params: Object.fromEntries((run.data.params ?? []).map(({ key, value }) => [key, value])),
  metrics: Object.fromEntries((run.data.metrics ?? []).flatMap(({ key, value }) => (Number.isFinite(Number(value)) ? [[key, Number(value)]] : []))),
  tags: Object.fromEntries((run.data.tags ?? []).map(({ key, value }) => [key, value])),
  datasets: (run.inputs?.dataset_inputs ?? []).map(({ dataset, tags }) => ({
    name: dataset.name,
    digest: dataset.digest,
    context: tags?.find(({ key }) => key === CONTEXT_TAG)?.value ?? null,
    sourceType: dataset.source_type ?? null,
    source: dataset.source ?? null,
  })),
})

/** The code that the run came from, as MLflow's clients and Millrace's trainer tag it. */
export const codeOf = (run: RunSnapshot | null) => ({
  commit: run?.tags['mlflow.source.git.commit'] ?? null,
  entryPoint: run?.tags['mlflow.source.name'] ?? null,
  repository: run?.tags['mlflow.source.git.repoURL'] ?? null,
  branch: run?.tags['mlflow.source.git.branch'] ?? null,
})

const ENVIRONMENT = /^(mlflow\.(source\.type|project\.env|databricks\.[\w.]+)|millrace\.(code|env|engine)\.[\w.-]+|python_version|framework|framework_version)$/

/** What the run's tags say of the machine and the packages that it ran with. */
export const environmentOf = (run: RunSnapshot | null): Record<string, string> =>
  Object.fromEntries(Object.entries(run?.tags ?? {}).filter(([key]) => ENVIRONMENT.test(key)))
