import type { Job } from '@millrace/platform/service.ts'
import type { DriftMonitorDeps } from './deps.ts'
import { paceJob } from './pace-job.ts'
import { dropUnlabelled } from './store/labels.ts'
import { dropWaiting } from './store/uncounted-rows.ts'
import { dropWindows } from './store/windows.ts'

const EVERY_MS = 60_000
const DAY_MS = 86_400_000

/** Lets go of what is too old to matter: rows that nobody could place, predictions without labels, closed windows. */
export function createPrune({ database, clock, config, metrics, log }: DriftMonitorDeps): Job {
  const dropped = metrics.counter('drift_rows_dropped_total', 'Logged predictions of versions that the drift monitor never heard of.')
  const job: Job = {
    name: 'prune',
    everyMs: EVERY_MS,
    async run() {
      const before = (ageMs: number): Date => new Date(clock().getTime() - ageMs)
      const waited = await dropWaiting(database, before(config.DRIFT_WAIT_MS))
      if (waited > 0) {
        dropped.add({}, waited)
        log.warn('Logged predictions were dropped: nothing was heard of their version', { rows: waited })
      }
      await dropUnlabelled(database, before(config.DRIFT_LABEL_DAYS * DAY_MS))
      await dropWindows(database, before(config.DRIFT_WINDOW_DAYS * DAY_MS))
      return false
    },
  }
  return paceJob(job, EVERY_MS)
}
