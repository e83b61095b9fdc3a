import type { BlobInfo } from '@millrace/platform/blobs/blobs.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { TrackingDeps } from '../deps.ts'
import { condemnContents, condemnUnknown, findIdleContents, findUnknownContents, forgetCondemned } from '../store/contents.ts'
import { deleteUnpinnedManifests } from '../store/manifests.ts'

const BATCH = 200

/**
 * Removes what nothing names any more, after a grace period: first lists that nobody pins, then contents in no artifact and no list, then bytes of uploads
 * that were never named. Each content is condemned under its row's lock before its bytes go, so that an upload of the same content in between is either seen
 * (and the content kept) or told to send it again. A pass that dies leaves condemned rows, with which the next one begins.
 */
export function createCollectGarbage(deps: TrackingDeps): Job {
  const { TRACKING_COLLECT_EVERY_MINUTES: everyMinutes, TRACKING_ARTIFACT_GRACE_HOURS: graceHours } = deps.config
  const everyMs = everyMinutes * 60_000
  const removed = deps.metrics.counter('tracking_collected_contents_total', 'Contents removed because nothing named them any more.')
  let lastRun = Number.NEGATIVE_INFINITY

  return {
    name: 'collect-garbage',
    everyMs,
    async run(signal) {
      const now = deps.clock()
      // Every write wakes the jobs of a service; this one looks no more often than it was asked to.
      if (now.getTime() - lastRun < everyMs) return false
      const before = new Date(now.getTime() - graceHours * 3_600_000)
      await forgetManifests(deps, before, signal)
      const count = (await removeIdle(deps, before, signal)) + (await removeUnknown(deps, before, signal))
      if (count > 0) deps.log.info('unused contents removed', { count })
      removed.add({}, count)
      if (!signal.aborted) lastRun = now.getTime()
      return false
    },
  }
}

async function forgetManifests(deps: TrackingDeps, before: Date, signal: AbortSignal): Promise<void> {
  let count: number
  do count = await deps.database.transaction((tx) => deleteUnpinnedManifests(tx, before, BATCH))
  while (count === BATCH && !signal.aborted)
}

async function removeIdle(deps: TrackingDeps, before: Date, signal: AbortSignal): Promise<number> {
  let total = 0
  while (!signal.aborted) {
    const candidates = await findIdleContents(deps.database, before, BATCH)
    const condemned = await deps.database.transaction((tx) => condemnContents(tx, candidates, before, deps.clock()))
    await removeCondemned(deps, condemned)
    total += condemned.length
    if (condemned.length === 0) break
  }
  return total
}

async function removeCondemned(deps: TrackingDeps, digests: readonly string[]): Promise<void> {
  for (const sha256 of digests) await deps.blobs.remove(sha256)
  await forgetCondemned(deps.database, digests)
}

async function removeUnknown(deps: TrackingDeps, before: Date, signal: AbortSignal): Promise<number> {
  let total = 0
  let batch: BlobInfo[] = []
  for await (const blob of deps.blobs.list()) {
    if (signal.aborted) return total
    if (blob.writtenAt < before) batch.push(blob)
    if (batch.length < BATCH) continue
    total += await removeBatch(deps, batch)
    batch = []
  }
  return total + (await removeBatch(deps, batch))
}

async function removeBatch(deps: TrackingDeps, batch: readonly BlobInfo[]): Promise<number> {
  if (batch.length === 0) return 0
  const unknown = new Set(
    await findUnknownContents(
      deps.database,
      batch.map((blob) => blob.sha256),
    ),
  )
  const contents = batch.filter((blob) => unknown.has(blob.sha256))
  if (contents.length === 0) return 0
  const condemned = await deps.database.transaction((tx) => condemnUnknown(tx, contents, deps.clock()))
  await removeCondemned(deps, condemned)
  return condemned.length
}
