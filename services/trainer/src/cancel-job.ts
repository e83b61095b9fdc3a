import { AppError } from '@millrace/platform/errors.ts'
import { changeJobIn, type TransitionDeps } from './apply-transition.ts'
import type { AttemptWatch } from './attempt-watch.ts'
import { cancel } from './domain/job.ts'
import { findJob, type StoredJob } from './job-store.ts'
import { unknownJob } from './refusals.ts'

/**
 * Asks a job to stop. One that runs is `cancelling` until its worker has ended. Asking again changes nothing.
 * @throws AppError RESOURCE_DOES_NOT_EXIST; RESOURCE_CONFLICT when the job ended otherwise, or is past the point of no return
 */
export const createCancelJob = (deps: TransitionDeps & { running: ReadonlyMap<string, AttemptWatch> }) =>
  async function cancelJob(jobId: string, by: string): Promise<StoredJob> {
    await deps.database.transaction((tx) => changeJobIn(deps, tx, jobId, (job) => cancel(job, by)))
    await deps.running.get(jobId)?.beat()
    const stored = await findJob(deps.database, jobId)
    if (!stored) throw unknownJob(jobId)
    const { state, finishing } = stored.job
    if (state === 'cancelled' || state === 'cancelling') return stored
    throw new AppError('RESOURCE_CONFLICT', `Job ${jobId} ${finishing ? 'is finishing its run' : `is '${state}'`}: there is nothing left to cancel.`)
  }
