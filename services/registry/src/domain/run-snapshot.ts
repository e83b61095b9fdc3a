import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import type { Run } from '@millrace/contracts/http/tracking.ts'

/** What lineage tells of a run. */
export interface RunSnapshot {
  readonly runId: string
  readonly experimentId: string
  readonly params: Readonly<Record<string, string>>
  /** Finite values only. */
  readonly metrics: Readonly<Record<string, number>>
  readonly tags: Readonly<Record<string, string>>
  readonly datasets: readonly { readonly name: string; readonly digest: string }[]
}

export const snapshotOfEvent = (event: RunFinished): RunSnapshot => ({
  runId: event.runId,
  experimentId: event.experimentId,
  params: event.params,
  metrics: event.metrics,
  tags: event.tags,
  datasets: event.datasets.map(({ name, digest }) => ({ name, digest })),
})

export const snapshotOfRun = (run: Run): RunSnapshot => ({
  runId: run.info.run_id,
  experimentId: run.info.experiment_id,
  params: Object.fromEntries((run.data.params ?? []).map(({ key, value }) => [key, value])),
  metrics: Object.fromEntries((run.data.metrics ?? []).flatMap(({ key, value }) => (Number.isFinite(Number(value)) ? [[key, Number(value)]] : []))),
  tags: Object.fromEntries((run.data.tags ?? []).map(({ key, value }) => [key, value])),
  datasets: (run.inputs?.dataset_inputs ?? []).map(({ dataset }) => ({ name: dataset.name, digest: dataset.digest })),
})

/** The code that the run came from, as MLflow's clients and Millrace's trainer tag it. */
export const codeOf = (run: RunSnapshot | null): { commit: string | null; entryPoint: string | null } => ({
  commit: run?.tags['mlflow.source.git.commit'] ?? null,
  entryPoint: run?.tags['mlflow.source.name'] ?? null,
})
