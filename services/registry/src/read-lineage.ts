import type { lineage } from '@millrace/contracts/http/registry.ts'
import { runResponse } from '@millrace/contracts/http/tracking.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { z } from 'zod'
import type { RegistryDeps } from './deps.ts'
import { codeOf, type RunSnapshot, snapshotOfRun } from './domain/run-snapshot.ts'
import { requireVersion } from './load-model.ts'
import { presentAudit } from './present.ts'
import { readAudit } from './store/audit.ts'
import type { VersionRow } from './store/versions.ts'

type LineageDeps = Pick<RegistryDeps, 'database' | 'tracking' | 'log'>

const HISTORY_LIMIT = 200
const TIMEOUT_MS = 5_000

/** Follows a version to its run, the data it read and the code that ran. @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createReadLineage = (deps: LineageDeps) =>
  async function readLineage(model: string, version: number): Promise<z.infer<typeof lineage>> {
    const row = await requireVersion(deps.database, model, version)
    const run = await findRun(deps, row)
    const history = await readAudit(deps.database, { model, modelId: row.model_id, version, before: null, limit: HISTORY_LIMIT })
    return {
      model,
      version: String(version),
      artifact: row.artifact,
      run: run && { runId: run.runId, experimentId: run.experimentId, params: { ...run.params }, metrics: { ...run.metrics }, tags: { ...run.tags } },
      datasets: [...(run?.datasets ?? [])],
      code: codeOf(run),
      history: history.map(presentAudit),
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
