import { type RunFinished, runFinished } from '@millrace/contracts/events/run-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrackingDeps } from './deps.ts'
import { fitFinished } from './domain/finished-event.ts'
import { RUN_NAME_TAG } from './domain/key.ts'
import { rowsOfProfile } from './domain/profile-rows.ts'
import { type Lifecycle, type Run, type RunChange, updateRun } from './domain/run.ts'
import { viewRuns } from './read-run.ts'
import { runMissing, runNotActive } from './refusals.ts'
import type { RunLinks } from './store/inputs.ts'
import { upsertRunTags } from './store/run-data.ts'
import { lockRun, saveRun, setRunLifecycle } from './store/runs.ts'
import { toTimestamp } from './timestamp.ts'

/** A longer source of a data set is left out of the event: it is there to be found, not to be read. */
const MAX_SOURCE = 1000

/** Changes a run and, where it finished by that, says so with all that was logged. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createUpdateRun = (deps: TrackingDeps) =>
  async function changeRun(runId: string, change: RunChange): Promise<Run> {
    return deps.database.transaction(async (tx) => {
      const before = await lockRun(tx, runId)
      if (!before) throw runMissing(runId)
      if (before.lifecycle === 'deleted') throw runNotActive(runId)
      const { run, finished } = updateRun(before, change, deps.clock().getTime())
      await saveRun(tx, run)
      if (run.runName !== before.runName) await upsertRunTags(tx, runId, [{ key: RUN_NAME_TAG, value: run.runName }])
      if (finished) await publishFinished(deps, tx, run)
      return run
    })
  }

function describeDataset({ dataset, tags }: RunLinks['datasets'][number]): RunFinished['datasets'][number] {
  const rows = rowsOfProfile(dataset.profile ?? '')
  return {
    name: dataset.name,
    digest: dataset.digest,
    context: tags.find((tag) => tag.key === 'mlflow.data.context')?.value ?? null,
    ...(dataset.source.length > MAX_SOURCE ? {} : { sourceType: dataset.sourceType, source: dataset.source }),
    ...(rows === null ? {} : { rows }),
  }
}

async function publishFinished(deps: TrackingDeps, tx: Sql, run: Run): Promise<void> {
  const [view] = await viewRuns(tx, [run])
  if (!view) return
  const { data, links } = view
  const event = {
    runId: run.runId,
    experimentId: String(run.experimentId),
    runName: run.runName,
    user: run.userId,
    status: run.status,
    startTime: toTimestamp(run.startTime),
    endTime: run.endTime === null ? null : toTimestamp(run.endTime),
    artifactUri: run.artifactUri,
    tags: Object.fromEntries(data.tags.map((tag) => [tag.key, tag.value])),
    params: Object.fromEntries(data.params.map((param) => [param.key, param.value])),
    metrics: Object.fromEntries(data.metrics.filter((point) => !point.isNan).map((point) => [point.key, point.value])),
    datasets: links.datasets.map(describeDataset),
    outputs: links.outputs.map(({ modelId, step }) => ({ modelId, step })),
  }
  await deps.publish(tx, { definition: runFinished, subject: run.runId, data: fitFinished(event) })
}

/** Deletes or restores a run; doing so twice is fine. @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createChangeRunLifecycle = (deps: TrackingDeps) =>
  async function changeRunLifecycle(runId: string, to: Lifecycle): Promise<void> {
    if (!(await setRunLifecycle(deps.database, runId, to))) throw runMissing(runId)
  }
