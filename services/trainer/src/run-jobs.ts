import { AppError, messageOf } from '@millrace/platform/errors.ts'
import type { Job as BackgroundJob } from '@millrace/platform/service.ts'
import { changeJob, type TransitionDeps } from './apply-transition.ts'
import { AttemptProgress } from './attempt-progress.ts'
import { type AttemptWatch, watchAttempt } from './attempt-watch.ts'
import { type Ending, end, finish, type Job, start, withRun } from './domain/job.ts'
import { nextQueued } from './job-store.ts'
import { PASSING } from './passing.ts'
import { type AttemptDeps, type AttemptResult, trainAttempt } from './train-attempt.ts'

export interface RunDeps extends TransitionDeps, AttemptDeps {
  /** Attempts of this process by job, so that a cancellation need not wait for the next sign of life. */
  readonly running: Map<string, AttemptWatch>
}

const POLL_MS = 1000

/** One loop for each job that may be trained at the same time. */
export const createRunJobs = (deps: RunDeps): BackgroundJob[] =>
  Array.from({ length: deps.config.TRAINER_CONCURRENCY }, (_, index) => ({
    name: `train-${index + 1}`,
    everyMs: POLL_MS,
    run: (stopping: AbortSignal) => trainNext(deps, stopping),
  }))

/** Looks before it takes: a look that always wrote would wake every other job. */
async function trainNext(deps: RunDeps, stopping: AbortSignal): Promise<boolean> {
  const next = await nextQueued(deps.database)
  if (!next || next.dueAt > deps.clock() || stopping.aborted) return false
  const job = await changeJob(deps, next.jobId, start)
  if (job) await runAttempt(deps, job, stopping)
  return true
}

async function runAttempt(deps: RunDeps, job: Job, stopping: AbortSignal): Promise<void> {
  const progress = new AttemptProgress(job.message, deps.clock)
  const watch = watchAttempt(deps, job, progress, stopping)
  deps.running.set(job.jobId, watch)
  try {
    const outcome = await tryAttempt(deps, job, progress, watch)
    await watch.stop()
    // A cancellation that came while the last bytes were uploaded wins over the result.
    const decide = (at: Job) =>
      'ending' in outcome ? end(at, job.attempt, outcome.ending) : (finish(at, job.attempt, outcome.result) ?? end(at, job.attempt, { kind: 'interrupted' }))
    await changeJob(deps, job.jobId, decide)
  } finally {
    deps.running.delete(job.jobId)
    await watch.stop()
  }
}

type Outcome = { readonly result: AttemptResult } | { readonly ending: Ending }

async function tryAttempt(deps: RunDeps, job: Job, progress: AttemptProgress, watch: AttemptWatch): Promise<Outcome> {
  try {
    const result = await trainAttempt(deps, {
      job,
      progress,
      signal: watch.signal,
      async onRun(runId) {
        const mine = await changeJob(deps, job.jobId, (at) => withRun(at, job.attempt, runId))
        if (!mine) throw new Error('the job went on without this attempt')
      },
    })
    return { result }
  } catch (error) {
    const ending = endingOf(error, watch)
    deps.log.warn('an attempt of a training job ended without a model', { jobId: job.jobId, attempt: job.attempt, ending, error })
    return { ending }
  }
}

function endingOf(error: unknown, watch: AttemptWatch): Ending {
  const reason = watch.stopReason()
  if (reason === 'timed-out') return { kind: 'timed_out' }
  if (reason !== null) return { kind: 'interrupted' }
  return { kind: 'failed', reason: messageOf(error), retryable: !(error instanceof AppError) || PASSING.includes(error.code) }
}
