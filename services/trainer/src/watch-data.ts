import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { AppError } from '@millrace/platform/errors.ts'
import type { Job as BackgroundJob } from '@millrace/platform/service.ts'
import { changeJob, type TransitionDeps } from './apply-transition.ts'
import { dataArrived } from './domain/job.ts'
import { noteFingerprint, type StoredJob, waitingJobs } from './job-store.ts'
import { datasetDigest } from './learning/dataset-digest.ts'
import type { DatasetListing } from './learning/list-dataset.ts'
import { resolveDataset } from './resolve-data.ts'

/** How often a changed folder must look the same before its bytes are read: somebody may still be copying into it. */
const SETTLED_LOOKS = 2

interface Look {
  readonly fingerprint: string
  /** How often it has looked like that since. */
  readonly same: number
  /** Milliseconds of `performance.now` before which it is not looked at again: a large folder takes long to look at. */
  readonly notBefore: number
}

/** At most about a tenth of the time goes into looking. */
const REST_FACTOR = 9

/** Starts jobs that wait for new data. Reads names, sizes and times; the bytes only once those changed and then stood still. */
export function createWatchDataJob(deps: TransitionDeps): BackgroundJob {
  const lastLook = new Map<string, Look>()
  return {
    name: 'watch-data',
    everyMs: deps.config.TRAINER_DATA_CHECK_MS,
    async run(signal) {
      const waiting = await waitingJobs(deps.database, null)
      for (const jobId of lastLook.keys()) if (!waiting.some(({ job }) => job.jobId === jobId)) lastLook.delete(jobId)
      for (const stored of waiting) if (!signal.aborted) await lookAt(deps, stored, lastLook)
      return false
    },
  }
}

async function lookAt(deps: TransitionDeps, stored: StoredJob, lastLook: Map<string, Look>): Promise<void> {
  const { jobId, dataset } = stored.job
  try {
    const begun = performance.now()
    const before = lastLook.get(jobId)
    if (before && begun < before.notBefore) return
    const listing = await resolveDataset(deps.config.TRAINER_DATA_ROOTS, dataset)
    const fingerprint = await fingerprintOf(listing)
    const same = before?.fingerprint === fingerprint ? before.same + 1 : 0
    lastLook.set(jobId, { fingerprint, same, notBefore: performance.now() + REST_FACTOR * (performance.now() - begun) })
    if (same >= SETTLED_LOOKS && fingerprint !== stored.seenFingerprint) await compareBytes(deps, stored, listing, fingerprint)
  } catch (error) {
    // While files are being copied a folder may be anything; what it is when they are there counts.
    if (!(error instanceof AppError)) throw error
    if (stored.job.message !== error.message) await noteFingerprint(deps.database, jobId, null, error.message)
  }
}

async function compareBytes(deps: TransitionDeps, stored: StoredJob, listing: DatasetListing, fingerprint: string): Promise<void> {
  const { jobId, unlikeDigest } = stored.job
  if ((await datasetDigest(listing)) === unlikeDigest) {
    await noteFingerprint(deps.database, jobId, fingerprint, WAITING)
    return
  }
  await changeJob(deps, jobId, dataArrived)
}

export const WAITING = 'Waits for data that differ from those the last model learned from'

/** Changes whenever a file is added, removed, renamed or written. */
async function fingerprintOf({ files }: DatasetListing): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    const { size, mtimeMs } = await stat(file.path)
    hash.update(`${file.id} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}
