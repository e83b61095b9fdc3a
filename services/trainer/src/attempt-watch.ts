import { messageOf } from '@millrace/platform/errors.ts'
import type { AttemptProgress } from './attempt-progress.ts'
import type { TrainerDeps } from './deps.ts'
import type { Job } from './domain/job.ts'
import { heartbeat } from './job-store.ts'
import { appendLog } from './log-store.ts'

/** Why an attempt is stopped before its end. `fenced`: the job is not this attempt's any more. */
export type StopReason = 'cancelled' | 'timed-out' | 'stopping' | 'fenced'

export interface AttemptWatch {
  readonly signal: AbortSignal
  readonly stopReason: () => StopReason | null
  /** Looks at once, instead of at the next beat. */
  readonly beat: () => Promise<void>
  /** Ends the watch and writes down what was still to be told. */
  readonly stop: () => Promise<void>
}

type WatchDeps = Pick<TrainerDeps, 'database' | 'clock' | 'config' | 'log'>

const LONGEST_BEAT_MS = 1000

/** Keeps an attempt's lease, tells its progress, and stops it when it is cancelled, takes too long, lost its job, or the trainer stops. */
export function watchAttempt(deps: WatchDeps, job: Job, progress: AttemptProgress, stopping: AbortSignal): AttemptWatch {
  const controller = new AbortController()
  let reason: StopReason | null = null
  const stopFor = (why: StopReason) => {
    reason ??= why
    controller.abort(new Error(why))
  }
  const onStopping = () => stopFor('stopping')
  if (stopping.aborted) onStopping()
  stopping.addEventListener('abort', onStopping, { once: true })
  const timeout = setTimeout(() => stopFor('timed-out'), job.timeoutMs)
  const beat = createBeat(deps, job, progress, stopFor)
  const timer = setInterval(() => void beat(), Math.min(LONGEST_BEAT_MS, deps.config.TRAINER_LEASE_MS / 3))
  return {
    signal: controller.signal,
    stopReason: () => reason,
    beat,
    async stop() {
      clearTimeout(timeout)
      clearInterval(timer)
      stopping.removeEventListener('abort', onStopping)
      await tellRest(deps, job, progress)
    },
  }
}

/** One at a time: a beat that falls into a slow one is left out. */
function createBeat(deps: WatchDeps, job: Job, progress: AttemptProgress, stopFor: (why: StopReason) => void): () => Promise<void> {
  let busy = false
  return async function beat() {
    if (busy) return
    busy = true
    try {
      const leaseUntil = new Date(deps.clock().getTime() + deps.config.TRAINER_LEASE_MS)
      const { share, message } = progress
      const state = await heartbeat(deps.database, { jobId: job.jobId, attempt: job.attempt, leaseUntil, progress: share, message })
      if (state === null) stopFor('fenced')
      if (state === 'cancelling') stopFor('cancelled')
      await tellRest(deps, job, progress)
    } catch (error) {
      deps.log.warn('a sign of life of a training was not written', { jobId: job.jobId, attempt: job.attempt, reason: messageOf(error) })
    } finally {
      busy = false
    }
  }
}

async function tellRest(deps: WatchDeps, job: Job, progress: AttemptProgress): Promise<void> {
  const lines = progress.takeLines()
  await appendLog(deps.database, job.jobId, lines).catch((error: unknown) => {
    deps.log.warn('lines of a training log were lost', { jobId: job.jobId, lines: lines.length, reason: messageOf(error) })
  })
}
