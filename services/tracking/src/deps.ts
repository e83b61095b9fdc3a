import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import type { DirectUploads } from '@millrace/platform/blobs/direct-uploads.ts'
import type { ExternalArtifacts } from '@millrace/platform/blobs/external-artifacts.ts'
import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { Once, Publish } from '@millrace/platform/events/handler.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { TrackingConfig } from './config.ts'

/** What the service needs of the outside. `blobs` is this service's own: content in it that tracking does not know is collected. */
export interface TrackingDeps {
  readonly log: Log
  readonly clock: Clock
  readonly newId: NewId
  readonly metrics: Metrics
  readonly database: Database
  readonly publish: Publish
  readonly once: Once
  readonly blobs: Blobs
  /** Below the configured roots. Left out by a host that has no such store. */
  readonly externalArtifacts?: ExternalArtifacts
  /** Of the same store as `blobs`. Left out by a host whose clients cannot be sent there. */
  readonly directUploads?: DirectUploads
  readonly config: TrackingConfig
}

/** What the parts of the service share beyond that. */
export interface TrackingParts extends TrackingDeps {
  /** Takes in what was sent for an upload, if anything. */
  readonly takeIn: (uploadId: string) => Promise<void>
}
