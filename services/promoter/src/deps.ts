import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { Publish } from '@millrace/platform/events/handler.ts'
import type { ServiceClient } from '@millrace/platform/http/client.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { PromoterConfig } from './config.ts'
import type { MeasureModel } from './measure-model.ts'

/** The ports that a host gives to the promoter. */
export interface PromoterDeps {
  readonly log: Log
  readonly clock: Clock
  readonly newId: NewId
  readonly metrics: Metrics
  readonly database: Database
  readonly publish: Publish
  readonly blobs: Blobs
  readonly registry: ServiceClient
  readonly tracking: ServiceClient
  readonly trainer: ServiceClient
  readonly config: PromoterConfig
  /** Runs the ONNX files of a model; a child process unless a test says otherwise. */
  readonly measure?: MeasureModel
}

/** Instruments of the promoter; asking again gives the same ones. */
export const instruments = (metrics: Metrics) => ({
  decisions: metrics.counter('promotion_decisions_total', 'Decisions by the state they came to.', ['state']),
  gates: metrics.counter('promotion_gates_total', 'Gates that were judged, by outcome.', ['gate', 'outcome']),
})

export const defaultPolicy = (config: PromoterConfig): PromotionPolicy => ({
  metrics: {},
  champion: { metric: 'accuracy', epsilon: config.PROMOTER_CHAMPION_EPSILON },
  signatureCompatible: true,
  maxSizeBytes: null,
  maxLatencyMs: null,
  parityTolerance: config.PROMOTER_PARITY_TOLERANCE,
  approval: config.PROMOTER_APPROVAL,
  directPromotion: config.PROMOTER_DIRECT_PROMOTION,
})
