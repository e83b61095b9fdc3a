import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import type { DirectUploads } from '@millrace/platform/blobs/direct-uploads.ts'
import type { ExternalArtifacts } from '@millrace/platform/blobs/external-artifacts.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { newUuidV7 } from '@millrace/platform/clock.ts'
import { Lifetime, type Started } from '@millrace/platform/component.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { createOnce } from '@millrace/platform/events/once.ts'
import { createPublish } from '@millrace/platform/events/outbox.ts'
import { startService, watchCommits } from '@millrace/platform/host.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { silentLog } from '@millrace/platform/log.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { type FixedClock, fixedClock } from '@millrace/platform/testing/fixed.ts'
import { freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import { type TrackingConfig, trackingConfig } from '../config.ts'
import { createTracking, migrations } from '../service.ts'
import { type Call, createCaller } from './call.ts'

export interface RunningTracking {
  readonly url: string
  /** As an editor through the gateway. */
  readonly call: Call
  /** As the registry itself. */
  readonly callAsRegistry: Call
  /** Of the editor. */
  readonly token: () => Promise<string>
  readonly database: Database
  readonly blobs: Blobs
  readonly clock: FixedClock
  readonly job: Job
  /** Goes on with uploads, and forgets what nobody finished. */
  readonly settleUploads: Job
  /** Data of the events of one type that were written so far, in order. */
  readonly published: (name: string) => Promise<unknown[]>
}

/** The whole service over HTTP, on a database in memory and a temporary folder. `wrap` puts something between the service and its blobs. */
export async function startTracking(
  settings: Partial<TrackingConfig> = {},
  wrap: (blobs: Blobs) => Blobs = (blobs) => blobs,
  externalArtifacts?: ExternalArtifacts,
  ring = createKeyRing(['tracking', 'gateway', 'registry']),
  outside: { directUploads?: DirectUploads; database?: Database } = {},
): Promise<Started<RunningTracking>> {
  const lifetime = new Lifetime()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-tracking-'))
  lifetime.onStop(() => rm(folder, { recursive: true, force: true }))
  const database = watchCommits(outside.database ?? (await freshDatabase(migrations)))
  const blobs = await createFolderBlobs({ root: folder })
  const clock = fixedClock(new Date())
  const metrics = createMetrics('tracking')
  const publish = createPublish({ source: '/millrace/tracking', clock, newId: newUuidV7 })
  const config = { ...trackingConfig.parse({}), ...settings }
  const shared = { log: silentLog, clock, metrics, database }
  const service = createTracking({
    ...shared,
    newId: newUuidV7,
    publish,
    once: createOnce({ clock }),
    blobs: wrap(blobs),
    config,
    ...(externalArtifacts ? { externalArtifacts } : {}),
    ...(outside.directUploads ? { directUploads: outside.directUploads } : {}),
  })
  const host = { ...shared, service: { ...service, jobs: [] }, host: '127.0.0.1', port: 0, eventLog: createMemoryLog(), identity: ring.identityOf('tracking') }
  const { url } = await lifetime.start(startService(host))
  const [job, settleUploads] = service.jobs
  if (!job || !settleUploads) throw new Error('tracking has two jobs')
  const editor = () => ring.identityOf('gateway').sign('tracking', { user: 'ada', role: 'editor' })
  const registry = () => ring.identityOf('registry').sign('tracking')
  const published = async (name: string): Promise<unknown[]> => {
    const rows = await database.query<{ payload: unknown }>("select payload from outbox where type like '%.' || $1 || '.v1' order by seq", [name])
    return rows.map((row) => row.payload)
  }
  const calls = { call: createCaller(url, editor), callAsRegistry: createCaller(url, registry) }
  const value = { url, ...calls, token: editor, database, blobs, clock, job, settleUploads, published }
  return { value, stop: () => lifetime.stop() }
}
