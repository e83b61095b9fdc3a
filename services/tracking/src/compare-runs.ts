import type { RunComparison } from '@millrace/contracts/http/tracking.ts'
import type { TrackingDeps } from './deps.ts'
import type { KeyValue } from './domain/batch.ts'
import { compareValues, missingKeys } from './domain/compare-runs.ts'
import { shownValue } from './domain/metric.ts'
import type { Run } from './domain/run.ts'
import { type RunView, viewRuns } from './read-run.ts'
import { runMissing } from './refusals.ts'
import { findRuns } from './store/runs.ts'

export const runSummary = (run: Run) => ({
  runId: run.runId,
  runName: run.runName,
  experimentId: String(run.experimentId),
  user: run.userId,
  status: run.status,
  startTime: run.startTime,
  endTime: run.endTime,
})

const mapOf = (pairs: readonly KeyValue[]): Map<string, string> => new Map(pairs.map(({ key, value }) => [key, value]))
/** What the client itself notes of a run is no choice that was made for it. */
const chosen = (tags: readonly KeyValue[]): KeyValue[] => tags.filter((tag) => !tag.key.startsWith('mlflow.'))
const metricsOf = ({ data }: RunView): Map<string, number | 'NaN'> =>
  new Map(data.metrics.map((point) => [point.key, shownValue(point) === 'NaN' ? 'NaN' : point.value]))

/** Runs side by side, in the order in which they were named. @throws AppError RESOURCE_DOES_NOT_EXIST for the first that is missing */
export const createCompareRuns = (deps: TrackingDeps) =>
  async function compareRuns(runIds: readonly string[]): Promise<RunComparison> {
    const found = new Map((await findRuns(deps.database, runIds)).map((run) => [run.runId, run]))
    const runs = runIds.map((id) => {
      const run = found.get(id)
      if (!run) throw runMissing(id)
      return run
    })
    const views = await viewRuns(deps.database, runs)
    const params = compareValues(views.map((view) => mapOf(view.data.params)))
    const metrics = compareValues(views.map(metricsOf))
    const tags = compareValues(views.map((view) => mapOf(chosen(view.data.tags))))
    const missing = runs.map(({ runId }, index) => ({
      runId,
      params: missingKeys(params, index),
      metrics: missingKeys(metrics, index),
      tags: missingKeys(tags, index),
    }))
    const lacking = missing.filter((run) => run.params.length + run.metrics.length + run.tags.length > 0)
    return { runs: runs.map(runSummary), params: params.map(writable), metrics: metrics.map(writable), tags: tags.map(writable), missing: lacking }
  }

const writable = <Value>({ key, values, differs }: { key: string; values: readonly Value[]; differs: boolean }) => ({ key, values: [...values], differs })
