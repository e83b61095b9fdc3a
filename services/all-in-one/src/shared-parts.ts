import { topics } from '@millrace/contracts/events/topics.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { type Clock, systemClock } from '@millrace/platform/clock.ts'
import type { Lifetime } from '@millrace/platform/component.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import { openSqlLog } from '@millrace/platform/events/sql-log.ts'
import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import type { Log } from '@millrace/platform/log.ts'
import { type EmbeddedDatabase, openPglite } from '@millrace/platform/sql/pglite.ts'
import type { DataDirectory } from './data-directory.ts'

export const serviceNames = ['tracking', 'registry', 'promoter', 'trainer', 'inference', 'drift-monitor', 'gateway'] as const
export type ServiceName = (typeof serviceNames)[number]

/** What the seven services of one process have in common. */
export interface SharedParts {
  readonly log: Log
  readonly clock: Clock
  readonly embedded: EmbeddedDatabase
  readonly eventLog: EventLog
  readonly blobs: Blobs
  readonly identityOf: (service: string) => ServiceIdentity
}

/** A database that can no longer answer ends the process: its next start recovers, and nothing acknowledged is lost. */
const endProcess = (error: Error): void => {
  queueMicrotask(() => {
    throw error
  })
}

export async function startSharedParts(directory: DataDirectory, log: Log, lifetime: Lifetime): Promise<SharedParts> {
  const embedded = await lifetime.start(openPglite({ directory: directory.database, log: log.child({ part: 'database' }), onFatal: endProcess }))
  const eventLog = await lifetime.start(openSqlLog({ database: embedded.schema('event_log'), topics, log: log.child({ part: 'event-log' }) }))
  const blobs = await createFolderBlobs({ root: directory.blobs })
  const { identityOf } = createKeyRing(serviceNames)
  return { log, clock: systemClock, embedded, eventLog, blobs, identityOf }
}
