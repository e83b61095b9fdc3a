import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import type { Publish } from '@millrace/platform/events/handler.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { DriftMonitorConfig } from './config.ts'

/** Everything that the drift monitor needs of a host. */
export interface DriftMonitorDeps {
  readonly log: Log
  readonly clock: Clock
  readonly newId: NewId
  readonly metrics: Metrics
  /** The drift monitor's own schema, migrated. */
  readonly database: Database
  readonly publish: Publish
  /** Read for profiles by digest, never inside a transaction. */
  readonly blobs: Blobs
  /** Asked how far the consumer is behind. */
  readonly eventLog: EventLog
  readonly config: DriftMonitorConfig
}
