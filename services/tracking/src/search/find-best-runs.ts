import type { BestRuns } from '@millrace/contracts/http/tracking.ts'
import { SqlParameters } from '@millrace/platform/search/compile-condition.ts'
import { parseFilter } from '@millrace/platform/search/parse-filter.ts'
import { runSummary } from '../compare-runs.ts'
import type { TrackingDeps } from '../deps.ts'
import { experimentMissing } from '../refusals.ts'
import { queryBestRuns } from '../store/best-runs.ts'
import { findExperiment } from '../store/experiments.ts'
import { loadRunData } from '../store/run-data.ts'
import { compileRunConditions } from './compile-run-filter.ts'
import { runRules } from './run-rules.ts'

export interface BestSearch {
  readonly experimentId: number
  readonly metric: string
  readonly mode: 'max' | 'min'
  readonly filter: string
  readonly limit: number
}

/** The best active runs of an experiment by the latest value of a metric. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createFindBestRuns = (deps: TrackingDeps) =>
  async function findBestRuns(search: BestSearch): Promise<BestRuns> {
    const { experimentId, metric, mode, limit } = search
    const parameters = new SqlParameters()
    const scope = `r.experiment_id = ${parameters.add(experimentId)}::int8 and b.key = ${parameters.add(metric)}`
    const conditions = compileRunConditions(parseFilter(search.filter, runRules), parameters)
    if (!(await findExperiment(deps.database, experimentId))) throw experimentMissing(experimentId)
    const found = await queryBestRuns(deps.database, { where: [scope, ...conditions].join(' and '), mode, limit, values: parameters.values })
    const dataOf = await loadRunData(
      deps.database,
      found.map(({ run }) => run.runId),
    )
    const runs = found.map(({ run, value, step, timestamp }, index) => {
      const params = Object.fromEntries(dataOf(run.runId).params.map((param) => [param.key, param.value]))
      return { rank: index + 1, ...runSummary(run), value, step, timestamp, params }
    })
    return { experimentId: String(experimentId), metric, mode, runs }
  }
