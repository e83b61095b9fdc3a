import { AsyncLocalStorage } from 'node:async_hooks'
import type { Started } from './component.ts'
import { messageOf } from './errors.ts'
import { createWakeSignal, fullJitterMs, pauseFor } from './events/signal.ts'
import type { Log } from './log.ts'
import type { Job } from './service.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface JobsDeps {
  readonly jobs: readonly Job[]
  readonly log: Log
  readonly metrics: Metrics
}

export interface Jobs {
  /** There may be something to do: for the named job, or for all. What a job's own run causes does not wake that job again; it returns true for that. */
  wake(name?: string): void
}

/** Wakes may come with every commit; a job looks at most this often because of them. */
const MIN_PAUSE_MS = 10
const ERROR_AFTER = 5
const MAX_BACKOFF_MS = 30_000
const SECONDS_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300]

const runningJob = new AsyncLocalStorage<string>()

/** Runs each job in a loop of its own until `stop`, which aborts their signal and waits for the runs in hand. */
export function startJobs(deps: JobsDeps): Started<Jobs> {
  const stopping = new AbortController()
  const loops = deps.jobs.map((job) => ({ name: job.name, ...startLoop(job, deps, stopping.signal) }))
  return {
    value: {
      wake(name) {
        const own = runningJob.getStore()
        for (const loop of loops) if (name === undefined ? loop.name !== own : loop.name === name) loop.wake()
      },
    },
    async stop() {
      stopping.abort()
      await Promise.all(loops.map((loop) => loop.running))
    },
  }
}

function startLoop(job: Job, deps: JobsDeps, stopping: AbortSignal): { wake: () => void; running: Promise<void> } {
  const signal = createWakeSignal()
  const run = createRun(job, deps, stopping)
  async function loop(): Promise<void> {
    let failures = 0
    while (!stopping.aborted) {
      const result = await run(failures)
      failures = result === 'failed' ? failures + 1 : 0
      if (result === 'failed') await pauseFor(Math.min(MAX_BACKOFF_MS, 100 * 2 ** failures) / 2 + fullJitterMs(failures, 50, MAX_BACKOFF_MS / 2), stopping)
      if (result !== 'idle') continue
      await pauseFor(MIN_PAUSE_MS, stopping)
      await signal.wait(job.everyMs, stopping)
    }
  }
  return { wake: signal.wake, running: runningJob.run(job.name, loop) }
}

function createRun(job: Job, { log, metrics }: JobsDeps, stopping: AbortSignal): (failures: number) => Promise<'more' | 'idle' | 'failed'> {
  const runs = metrics.counter('job_runs_total', 'Runs of a background job', ['job', 'outcome'])
  const seconds = metrics.histogram('job_run_seconds', 'Time of one run of a background job', ['job'], SECONDS_BUCKETS)
  return async function runJob(failures) {
    const start = performance.now()
    try {
      const more = await job.run(stopping)
      runs.add({ job: job.name, outcome: 'done' })
      return more ? 'more' : 'idle'
    } catch (error) {
      if (stopping.aborted) return 'failed'
      runs.add({ job: job.name, outcome: 'failed' })
      const report = failures + 1 < ERROR_AFTER ? log.warn : log.error
      report('A job failed and is tried again', { job: job.name, failures: failures + 1, reason: messageOf(error), error })
      return 'failed'
    } finally {
      seconds.observe({ job: job.name }, (performance.now() - start) / 1000)
    }
  }
}
