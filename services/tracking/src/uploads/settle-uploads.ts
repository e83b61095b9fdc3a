import { AppError } from '@millrace/platform/errors.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { TrackingParts } from '../deps.ts'
import { listAwaited, listExpired, listStuck, type Upload } from '../store/uploads.ts'
import { dropUpload } from './complete-upload.ts'

const EVERY_MS = 10_000
const BATCH = 100
/** Longer than any pass that goes on: a look too early only costs a second reading. */
const STUCK_MS = 300_000
/** Bytes that began to come before the address expired may still be on their way. */
const LATE_MS = 3_600_000

/** Goes on with what a process that died had begun, takes in what arrived in the store, and forgets what nobody finished. */
export function createSettleUploads(deps: TrackingParts): Job {
  let lastRun = Number.NEGATIVE_INFINITY

  async function settleOne(upload: Upload): Promise<void> {
    try {
      await deps.takeIn(upload.uploadId)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      // Such as one that is too large: it will be no smaller next time.
      deps.log.warn('an upload was refused', { path: upload.path, reason: error.message })
      await dropUpload(deps, upload)
    }
  }

  return {
    name: 'settle-uploads',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock().getTime()
      // Every write wakes the jobs of a service; this one looks no more often than it was asked to.
      if (now - lastRun < EVERY_MS) return false
      const work = [
        ...(await listStuck(deps.database, new Date(now - STUCK_MS), BATCH)),
        ...(deps.directUploads ? await listAwaited(deps.database, '', BATCH) : []),
      ]
      for (const upload of work) if (!signal.aborted) await settleOne(upload)
      for (const upload of await listExpired(deps.database, new Date(now - LATE_MS), BATCH)) if (!signal.aborted) await dropUpload(deps, upload)
      if (!signal.aborted) lastRun = now
      return false
    },
  }
}
