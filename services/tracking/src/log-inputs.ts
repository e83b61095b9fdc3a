import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrackingDeps } from './deps.ts'
import type { Run } from './domain/run.ts'
import { loggedModelMissing, runMissing, runNotActive } from './refusals.ts'
import { type DatasetInput, linkDatasets, linkModels, type ModelLink } from './store/inputs.ts'
import { findMissingModels } from './store/logged-models.ts'
import { findRun } from './store/runs.ts'

async function requireActiveRun(tx: Sql, runId: string): Promise<Run> {
  const run = await findRun(tx, runId)
  if (!run) throw runMissing(runId)
  if (run.lifecycle === 'deleted') throw runNotActive(runId)
  return run
}

async function requireModels(tx: Sql, links: readonly ModelLink[]): Promise<void> {
  const [unknown] = links.length === 0 ? [] : await findMissingModels(tx, [...new Set(links.map((link) => link.modelId))])
  if (unknown !== undefined) throw loggedModelMissing(unknown)
}

/** Notes what a run read; doing so twice is fine. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createLogInputs = (deps: TrackingDeps) =>
  async function logInputs(runId: string, inputs: { datasets: readonly DatasetInput[]; models: readonly ModelLink[] }): Promise<void> {
    await deps.database.transaction(async (tx) => {
      const run = await requireActiveRun(tx, runId)
      await requireModels(tx, inputs.models)
      await linkDatasets(tx, runId, run.experimentId, inputs.datasets)
      await linkModels(tx, runId, 'input', inputs.models)
    })
  }

/** Notes which logged models a run wrote; the first link of a model stands. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createLogOutputs = (deps: TrackingDeps) =>
  async function logOutputs(runId: string, models: readonly ModelLink[]): Promise<void> {
    await deps.database.transaction(async (tx) => {
      await requireActiveRun(tx, runId)
      await requireModels(tx, models)
      await linkModels(tx, runId, 'output', models)
    })
  }
