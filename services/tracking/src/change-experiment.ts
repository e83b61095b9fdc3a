import { UniqueViolation } from '@millrace/platform/sql/sql.ts'
import { experimentExists } from './create-experiment.ts'
import type { TrackingDeps } from './deps.ts'
import type { Lifecycle } from './domain/run.ts'
import { experimentMissing, invalid } from './refusals.ts'
import { lockExperiment, renameExperiment, setExperimentLifecycle } from './store/experiments.ts'

/** Deletes or restores an experiment with all of its runs. @throws AppError RESOURCE_DOES_NOT_EXIST where it is missing or is there already */
export const createChangeExperimentLifecycle = (deps: TrackingDeps) =>
  async function changeExperimentLifecycle(experimentId: number, to: Lifecycle): Promise<void> {
    await deps.database.transaction(async (tx) => {
      const present = await lockExperiment(tx, experimentId)
      if (present === null || present === to) throw experimentMissing(experimentId)
      await setExperimentLifecycle(tx, experimentId, to, deps.clock().getTime())
    })
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST, RESOURCE_ALREADY_EXISTS, INVALID_PARAMETER_VALUE where it is deleted */
export const createRenameExperiment = (deps: TrackingDeps) =>
  async function rename(experimentId: number, name: string): Promise<void> {
    const work = deps.database.transaction(async (tx) => {
      const present = await lockExperiment(tx, experimentId)
      if (present === null) throw experimentMissing(experimentId)
      if (present === 'deleted') throw invalid('Cannot rename a non-active experiment.')
      await renameExperiment(tx, experimentId, name, deps.clock().getTime())
    })
    await work.catch((error: unknown) => {
      throw error instanceof UniqueViolation ? experimentExists(name) : error
    })
  }
