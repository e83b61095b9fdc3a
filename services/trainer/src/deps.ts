import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { Once, Publish } from '@millrace/platform/events/handler.ts'
import type { ServiceClient } from '@millrace/platform/http/client.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { TrainerConfig } from './config.ts'
import type { TrainingEngine } from './engine.ts'

/** The ports that a host gives to the trainer. */
export interface TrainerDeps {
  readonly log: Log
  readonly clock: Clock
  readonly newId: NewId
  readonly metrics: Metrics
  readonly database: Database
  readonly publish: Publish
  readonly once: Once
  /** Sealed artifacts, for evaluations. */
  readonly blobs: Blobs
  readonly tracking: ServiceClient
  readonly config: TrainerConfig
  /** A worker thread unless a test says otherwise. */
  readonly engine?: TrainingEngine
}
