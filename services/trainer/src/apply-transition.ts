import { trainingFailed, trainingFinished, trainingStarted } from '@millrace/contracts/events/training-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { endAttempt, insertAttempt, setAttemptRun } from './attempt-store.ts'
import type { TrainerDeps } from './deps.ts'
import { isOver, type Job, retryPauseMs, type Transition } from './domain/job.ts'
import { lockJob, type StoredJob, saveJob } from './job-store.ts'
import { appendLog } from './log-store.ts'

export type TransitionDeps = Pick<TrainerDeps, 'database' | 'publish' | 'clock' | 'config' | 'log' | 'metrics'>

/**
 * Changes a job under its lock: the job, its attempt, a line in its log and the event commit together. Answers the job after the change, or null where
 * `decide` changed nothing, such as for an attempt that is not the job's any more.
 */
export const changeJob = (deps: TransitionDeps, jobId: string, decide: (job: Job) => Transition): Promise<Job | null> =>
  deps.database.transaction((tx) => changeJobIn(deps, tx, jobId, decide))

export async function changeJobIn(deps: TransitionDeps, tx: Sql, jobId: string, decide: (job: Job) => Transition): Promise<Job | null> {
  const before = await lockJob(tx, jobId)
  const transition = before && decide(before.job)
  if (!transition) return null
  await save(deps, tx, before, transition)
  const { model, state, attempt, message } = transition.next
  deps.log.info('a training job changed', { jobId, model, state, attempt, message })
  return transition.next
}

async function save(deps: TransitionDeps, tx: Sql, before: StoredJob, transition: NonNullable<Transition>): Promise<void> {
  const { next, attemptEnd, pause } = transition
  const now = deps.clock()
  const { jobId, attempt, experiment } = next
  const began = attempt > before.job.attempt
  const live = next.state === 'running' || next.state === 'cancelling'
  const leaseUntil = live ? new Date(now.getTime() + deps.config.TRAINER_LEASE_MS) : null
  const dueAt = new Date(now.getTime() + (pause ? retryPauseMs(next.failures, deps.config.TRAINER_RETRY_PAUSE_MS) : 0))
  await saveJob(tx, { job: next, dueAt, leaseUntil, startedAt: began ? now : null, endedAt: isOver(next.state) ? now : null })
  if (began) await insertAttempt(tx, { jobId, attempt, experiment, now })
  if (next.runId !== null && next.runId !== before.job.runId) await setAttemptRun(tx, jobId, attempt, next.runId)
  if (attemptEnd) await endAttempt(tx, { jobId, attempt, ...attemptEnd, now })
  if (next.message !== before.job.message) await appendLog(tx, jobId, [{ at: now, line: next.message }])
  await announce(deps, tx, before, transition, now)
  const jobs = deps.metrics.counter('training_jobs_total', 'Training jobs by the state they came to.', ['state'])
  if (next.state !== before.job.state) jobs.add({ state: next.state })
}

async function announce(
  deps: TransitionDeps,
  tx: Sql,
  { startedAt, createdAt }: StoredJob,
  { next, announcement }: NonNullable<Transition>,
  now: Date,
): Promise<void> {
  const { jobId, model, runId, state, message } = next
  // A job that was cancelled before it began ends as its first attempt.
  const job = { jobId, model, attempt: Math.max(1, next.attempt) }
  const durationMs = now.getTime() - (startedAt ?? createdAt).getTime()
  if (announcement === 'started') await deps.publish(tx, { definition: trainingStarted, subject: jobId, data: { ...job, runId } })
  if (announcement === 'finished') {
    const data = { ...job, runId: runId ?? '', metrics: { ...next.metrics }, durationMs: Math.max(0, durationMs) }
    await deps.publish(tx, { definition: trainingFinished, subject: jobId, data })
  }
  if (announcement === 'failed') await deps.publish(tx, { definition: trainingFailed, subject: jobId, data: { ...job, runId, state, reason: message } })
}
