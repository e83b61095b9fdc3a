import type { jobStates, TrainingParameters } from '@millrace/contracts/http/trainer.ts'

export type JobState = (typeof jobStates)[number]

/** A training job: what was asked for, and how far it has come. */
export interface Job {
  readonly jobId: string
  readonly model: string
  /** Folder as it was asked for. */
  readonly dataset: string
  readonly experiment: string
  readonly parameters: TrainingParameters
  readonly register: boolean
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly cause: string
  readonly requestedBy: string
  readonly state: JobState
  /** Number of the attempt in hand or of the last one; 0 before the first. Every word of an attempt carries it, so that a dead one is not listened to. */
  readonly attempt: number
  /** Attempts that ended in a way that counts; an attempt that was interrupted by a planned stop does not. */
  readonly failures: number
  readonly runId: string | null
  /** Everything is uploaded; only the run's end has still to be told to tracking. From here on there is no way back. */
  readonly finishing: boolean
  readonly message: string
  readonly metrics: Readonly<Record<string, number>>
  /** Digest that the data must differ from before the job starts. */
  readonly unlikeDigest: string | null
  /** Digest of the data that the model learned from. */
  readonly dataDigest: string | null
}

/** How an attempt ended that made no model. */
export type Ending =
  | { kind: 'failed'; reason: string; retryable: boolean }
  | { kind: 'timed_out' }
  /** The process that ran it is gone. */
  | { kind: 'lost' }
  /** The trainer was stopped. */
  | { kind: 'interrupted' }

export type Announcement = 'started' | 'finished' | 'failed'

/** The job after a change; null where nothing changes. `attemptEnd` closes the attempt in hand. */
export type Transition = {
  readonly next: Job
  readonly announcement: Announcement | null
  readonly attemptEnd: { readonly state: string; readonly reason: string; readonly closeRunAs: 'FAILED' | 'KILLED' | null } | null
  /** Whether the job is to rest before its next attempt. */
  readonly pause: boolean
} | null

export const isOver = (state: JobState): boolean => ['succeeded', 'failed', 'timed_out', 'cancelled'].includes(state)

const change = (job: Job, fields: Partial<Job>, rest: Partial<NonNullable<Transition>> = {}): Transition => ({
  ...{ announcement: null, attemptEnd: null, pause: false },
  ...rest,
  next: { ...job, ...fields },
})

/** The next attempt begins. */
export function start(job: Job): Transition {
  if (job.state !== 'queued') return null
  const attempt = job.attempt + 1
  return change(job, { state: 'running', attempt, runId: null, message: `Attempt ${attempt} began` }, { announcement: 'started' })
}

/** The data that a job waited for are there. */
export const dataArrived = (job: Job): Transition => (job.state === 'waiting_for_data' ? change(job, { state: 'queued', message: 'New data are there' }) : null)

/** A job that has not begun ends at once; a running one when its worker has confirmed. Null for a job that cannot be cancelled any more. */
export function cancel(job: Job, by: string): Transition {
  const message = `Cancelled by ${by}`
  if (job.state === 'waiting_for_data' || job.state === 'queued') return change(job, { state: 'cancelled', message }, { announcement: 'failed' })
  if (job.state === 'running' && !job.finishing) return change(job, { state: 'cancelling', message })
  return null
}

const isCurrent = (job: Job, attempt: number): boolean => job.attempt === attempt && !job.finishing && (job.state === 'running' || job.state === 'cancelling')

export const withRun = (job: Job, attempt: number, runId: string): Transition => (isCurrent(job, attempt) ? change(job, { runId }) : null)

/** All of the attempt's work is done: from here on only the run's end is told, as often as it takes. A cancellation that was asked for goes before. */
export function finish(job: Job, attempt: number, done: { runId: string; metrics: Job['metrics']; dataDigest: string }): Transition {
  if (!isCurrent(job, attempt) || job.state === 'cancelling') return null
  return change(job, { ...done, finishing: true, message: 'Finishing the run' })
}

export function succeed(job: Job, attempt: number): Transition {
  if (!job.finishing || job.state !== 'running' || job.attempt !== attempt) return null
  const attemptEnd = { state: 'succeeded', reason: '', closeRunAs: null }
  return change(job, { state: 'succeeded', finishing: false, message: 'Finished' }, { announcement: 'finished', attemptEnd })
}

/** Tracking will never take the run's end, such as that of a run which somebody deleted. */
export function failToFinish(job: Job, attempt: number, reason: string): Transition {
  if (!job.finishing || job.state !== 'running' || job.attempt !== attempt) return null
  const attemptEnd = { state: 'failed', reason, closeRunAs: null }
  return change(job, { state: 'failed', finishing: false, message: reason }, { announcement: 'failed', attemptEnd })
}

/** The attempt is over without a model: the job is tried again, or ends. */
export function end(job: Job, attempt: number, ending: Ending): Transition {
  if (!isCurrent(job, attempt)) return null
  if (job.state === 'cancelling') return over(job, 'cancelled', job.message, 'KILLED')
  switch (ending.kind) {
    case 'timed_out':
      return over(job, 'timed_out', `Took longer than ${job.timeoutMs} ms`, 'KILLED')
    case 'interrupted':
      return again(job, 'interrupted', 'The trainer was stopped', job.failures, false)
    case 'lost':
      return retry(job, 'lost', 'The process that ran it ended', true)
    case 'failed':
      return retry(job, 'failed', ending.reason, ending.retryable)
  }
}

function retry(job: Job, attemptState: string, reason: string, retryable: boolean): Transition {
  const failures = job.failures + 1
  if (retryable && failures < job.maxAttempts) return again(job, attemptState, reason, failures, true)
  const message = retryable ? `${reason}; ${failures} of ${job.maxAttempts} attempts failed` : reason
  return over({ ...job, failures }, 'failed', message, attemptState === 'lost' ? 'KILLED' : 'FAILED', attemptState)
}

function again(job: Job, attemptState: string, reason: string, failures: number, pause: boolean): Transition {
  const closeRunAs = attemptState === 'failed' ? 'FAILED' : 'KILLED'
  return change(job, { state: 'queued', failures, message: `${reason}; tried again` }, { attemptEnd: { state: attemptState, reason, closeRunAs }, pause })
}

function over(job: Job, state: JobState, message: string, closeRunAs: 'FAILED' | 'KILLED', attemptState: string = state): Transition {
  return change(job, { state, message }, { announcement: 'failed', attemptEnd: { state: attemptState, reason: message, closeRunAs } })
}

/** Pause before another attempt: grows from one second, at most a minute. */
export const retryPauseMs = (failures: number, baseMs: number): number => Math.min(60_000, baseMs * 2 ** Math.max(0, Math.min(failures, 16) - 1))
