import { trainingRequested } from '@millrace/contracts/events/training-events.ts'
import type { TrainingJobRequest } from '@millrace/contracts/http/trainer.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrainerDeps } from './deps.ts'
import type { Job } from './domain/job.ts'
import { findJob, insertJob, type StoredJob } from './job-store.ts'
import { appendLog } from './log-store.ts'
import { unknownJob } from './refusals.ts'
import { resolveDataset } from './resolve-data.ts'
import { trainingSettings } from './training-settings.ts'

export type SubmitDeps = Pick<TrainerDeps, 'database' | 'publish' | 'once' | 'clock' | 'newId' | 'config'>

/**
 * Puts a training job into the queue; the same idempotency key again answers with the same job.
 * @throws AppError INVALID_PARAMETER_VALUE when the data or a parameter cannot be used
 */
export const createSubmitJob = (deps: SubmitDeps) =>
  async function submitJob(request: TrainingJobRequest, requestedBy: string, key: string | null): Promise<StoredJob> {
    const problem = await problemOf(deps, request)
    const jobId = await deps.database.transaction((tx) => {
      const insert = async (): Promise<string> => {
        // Only now: a repeated key gets the job of the first call, whatever became of the folder since.
        if (problem) throw problem.error
        const job = jobOf(deps, request, requestedBy)
        await enqueue(deps, tx, job, null)
        return job.jobId
      }
      return key === null ? insert() : deps.once(tx, `training-jobs:${key}`, insert)
    })
    const stored = await findJob(deps.database, jobId)
    if (!stored) throw unknownJob(jobId)
    return stored
  }

async function problemOf(deps: SubmitDeps, request: TrainingJobRequest): Promise<{ error: unknown } | null> {
  try {
    const { root } = await resolveDataset(deps.config.TRAINER_DATA_ROOTS, request.dataset)
    await trainingSettings(deps.config, request.parameters ?? {}, root, deps.config.TRAINER_SCRATCH)
    return null
  } catch (error) {
    return { error }
  }
}

/** Writes the job and says so; false where the alert has its job already. */
export async function enqueue(deps: Pick<TrainerDeps, 'publish' | 'clock'>, tx: Sql, job: Job, alertId: string | null): Promise<boolean> {
  const now = deps.clock()
  if (!(await insertJob(tx, job, alertId, now))) return false
  await appendLog(tx, job.jobId, [{ at: now, line: `${job.message} (asked for by ${job.requestedBy}: ${job.cause || 'no reason given'})` }])
  const { jobId, model, dataset, requestedBy, cause } = job
  await deps.publish(tx, { definition: trainingRequested, subject: jobId, data: { jobId, model, dataset, requestedBy, cause } })
  return true
}

/** A new job with everything filled in that the request leaves open. */
export function jobOf(deps: Pick<TrainerDeps, 'newId' | 'config'>, request: TrainingJobRequest, requestedBy: string): Job {
  return {
    jobId: deps.newId(),
    model: request.model,
    dataset: request.dataset,
    experiment: request.experiment ?? request.model,
    parameters: request.parameters ?? {},
    register: request.register ?? false,
    timeoutMs: request.timeoutMs ?? deps.config.TRAINER_TIMEOUT_MS,
    maxAttempts: request.maxAttempts ?? deps.config.TRAINER_ATTEMPTS,
    cause: request.cause ?? '',
    requestedBy,
    state: 'queued',
    message: 'Queued',
    ...{ attempt: 0, failures: 0, runId: null, finishing: false, metrics: {}, unlikeDigest: null, dataDigest: null },
  }
}
