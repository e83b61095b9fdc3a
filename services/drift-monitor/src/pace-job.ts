import type { Job } from '@millrace/platform/service.ts'

/**
 * The same job, at most once in `everyMs` however often it is woken: jobs are woken with every event that came in, and looking each time would cost more than the events.
 * A run that says there is more to do is followed at once.
 */
export function paceJob(job: Job, everyMs: number): Job {
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    ...job,
    async run(signal) {
      if (performance.now() - lastMs < everyMs) return false
      lastMs = performance.now()
      const more = await job.run(signal)
      if (more) lastMs = Number.NEGATIVE_INFINITY
      return more
    },
  }
}
