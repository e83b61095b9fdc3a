import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Run } from './domain/run.ts'
import { runMissing } from './refusals.ts'
import { loadRunLinks, type RunLinks } from './store/inputs.ts'
import { loadRunData, type RunData } from './store/run-data.ts'
import { findRun } from './store/runs.ts'

/** A run with all that was logged to it. */
export interface RunView {
  readonly run: Run
  readonly data: RunData
  readonly links: RunLinks
}

/** Completes runs with a fixed number of queries, however many they are. */
export async function viewRuns(sql: Sql, runs: readonly Run[]): Promise<RunView[]> {
  const ids = runs.map((run) => run.runId)
  const dataOf = await loadRunData(sql, ids)
  const linksOf = await loadRunLinks(sql, ids)
  return runs.map((run) => ({ run, data: dataOf(run.runId), links: linksOf(run.runId) }))
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST */
export async function readRun(sql: Sql, runId: string): Promise<RunView> {
  const run = await findRun(sql, runId)
  const [view] = run ? await viewRuns(sql, [run]) : []
  if (!view) throw runMissing(runId)
  return view
}
