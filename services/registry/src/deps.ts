import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { Once, Publish } from '@millrace/platform/events/handler.ts'
import type { ServiceClient } from '@millrace/platform/http/client.ts'
import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { RegistryConfig } from './config.ts'

/** Everything that the registry needs of a host. */
export interface RegistryDeps {
  readonly log: Log
  readonly clock: Clock
  readonly newId: NewId
  readonly metrics: Metrics
  /** The registry's own schema, migrated. */
  readonly database: Database
  readonly publish: Publish
  readonly once: Once
  readonly blobs: Blobs
  readonly tracking: ServiceClient
  readonly promoter: ServiceClient
  /** Calls the receivers of webhooks. */
  readonly outside: OutsideClient
  readonly config: RegistryConfig
}
