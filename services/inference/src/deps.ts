import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import type { Cache } from '@millrace/platform/cache/cache.ts'
import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import type { ConditionalClient } from '@millrace/platform/http/client.ts'
import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { InferenceConfig } from './config.ts'

/** Everything that a pod needs of a host. No database: a pod that holds a model goes on answering when all of this is away. */
export interface InferenceDeps {
  readonly log: Log
  readonly clock: Clock
  readonly newId: NewId
  readonly metrics: Metrics
  readonly blobs: Blobs
  readonly cache: Cache
  readonly eventLog: EventLog
  readonly registry: Pick<ConditionalClient, 'ifChanged'>
  readonly identity: Pick<ServiceIdentity, 'verify'>
  readonly config: InferenceConfig
}
