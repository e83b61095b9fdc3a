import type { Lineage } from '@millrace/contracts/http/registry.ts'
import { runResponse } from '@millrace/contracts/http/tracking.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { RegistryDeps } from '../deps.ts'
import { dvcPointerOf } from '../domain/dvc-pointer.ts'
import { graphOf } from '../domain/lineage-graph.ts'
import { codeOf, environmentOf, type RunSnapshot, snapshotOfRun } from '../domain/run-snapshot.ts'
import { requireVersion } from '../load-model.ts'
import { presentAudit } from '../present.ts'
import { readAudit } from '../store/audit.ts'
import { readServing } from '../store/serving.ts'
import type { VersionRow } from '../store/versions.ts'
import { describeDecisions, describeEvaluations, describeServing } from './describe-serving.ts'
import { readFacts, readProductionMoves, readSpans } from './store.ts'

type Life = Required<Pick<Lineage, 'evaluations' | 'decisions' | 'serving'>>
type LineageDeps = Pick<RegistryDeps, 'database' | 'tracking' | 'log'>

const HISTORY_LIMIT = 200
const TIMEOUT_MS = 5_000

/** Follows a version back to its run, the data it read and the code that ran, and on to its gates, decisions and service. @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createReadLineage = (deps: LineageDeps) =>
  async function readLineage(model: string, version: number): Promise<Lineage> {
    const row = await requireVersion(deps.database, model, version)
    const run = await findRun(deps, row)
    const history = await readAudit(deps.database, { model, modelId: row.model_id, version, before: null, limit: HISTORY_LIMIT })
    const lineage = {
      model,
      version: String(version),
      artifact: row.artifact,
      run: run && { runId: run.runId, experimentId: run.experimentId, params: { ...run.params }, metrics: { ...run.metrics }, tags: { ...run.tags } },
      datasets: describeDatasets(run),
      code: codeOf(run),
      environment: environmentOf(run),
      loggedModelId: row.logged_model_id,
      ...(await readLife(deps, row)),
      history: history.map(presentAudit),
    }
    return { ...lineage, graph: graphOf(lineage) }
  }

const describeDatasets = (run: RunSnapshot | null): Lineage['datasets'] =>
  (run?.datasets ?? []).map(({ name, digest, context = null, sourceType = null, source = null }) => {
    const dvc = dvcPointerOf({ name, sourceType, source }, run?.tags ?? {})
    return { name, digest, context, sourceType, source, dvc: dvc && { ...dvc } }
  })

/** What became of the version since. */
async function readLife({ database }: LineageDeps, row: VersionRow): Promise<Life> {
  const facts = await readFacts(database, row.id)
  const moves = await readProductionMoves(database, row.model_id, row.version)
  const serving = (await readServing(database, [row.name])).get(row.name)
  const isServed = serving?.production === row.version || (serving?.candidates ?? []).some(({ version }) => version === row.version)
  return {
    evaluations: describeEvaluations(facts),
    decisions: describeDecisions(moves, facts),
    serving: describeServing(moves, await readSpans(database, row.id), facts, isServed),
  }
}

/** The run as tracking knows it now; what it was when it registered itself where tracking cannot tell. */
async function findRun({ tracking, log }: LineageDeps, row: VersionRow): Promise<RunSnapshot | null> {
  if (row.run_id === '') return row.run
  const path = `/api/2.0/mlflow/runs/get?run_id=${encodeURIComponent(row.run_id)}`
  try {
    const { run } = await tracking.call({ method: 'GET', path, response: runResponse, timeoutMs: TIMEOUT_MS })
    return snapshotOfRun(run)
  } catch (error) {
    if (row.run) {
      log.warn('lineage is told from what the registry remembers of the run', { model: row.name, version: row.version, runId: row.run_id, error })
      return row.run
    }
    // A run that was never there, or is no more: the rest of the lineage still stands.
    if (error instanceof AppError && error.code === 'RESOURCE_DOES_NOT_EXIST') return null
    throw error
  }
}
