import { z } from 'zod'

const milliseconds = (fallback: number, least = 50) => z.coerce.number().int().min(least).max(3_600_000).default(fallback)
const percent = (fallback: number) => z.coerce.number().int().min(0).max(100).default(fallback)
const count = (fallback: number, most = 100_000) => z.coerce.number().int().min(1).max(most).default(fallback)

/** How requests are dealt out to pods. */
export const trafficSettings = {
  /** Requests in progress to one service, its pods together; more are refused with 503. */
  GATEWAY_MAX_IN_FLIGHT: count(1024),
  /** Of these, predictions of one model: a slow model leaves room for the others. */
  GATEWAY_MAX_IN_FLIGHT_PER_MODEL: count(512),
  /** Memory for the bodies of predictions in progress, held so that another pod can be asked; beyond it bodies stream through, and are asked of one pod only. */
  GATEWAY_HELD_BYTES: z.coerce.number().int().min(1_048_576).default(268_435_456),
  /** Predictions and reads that may be asked of a second pod, in percent of all, and how many per second in any case. */
  GATEWAY_RETRY_PERCENT: percent(20),
  GATEWAY_RETRY_MIN_PER_SECOND: z.coerce.number().int().min(0).max(10_000).default(20),
  /** Bad answers in a row after which a pod is left alone, for how long the first time, and which part of the pods at most. */
  GATEWAY_EJECT_AFTER_FAULTS: count(5, 1000),
  GATEWAY_EJECTION_MS: milliseconds(5000),
  GATEWAY_MAX_EJECTED_PERCENT: percent(50),
  /** A pod that is new, or comes back, gets its whole share after this time. */
  GATEWAY_SLOW_START_MS: z.coerce.number().int().min(0).max(3_600_000).default(10_000),
  /** How often each pod is asked whether it is ready, and how long it may take to answer. */
  GATEWAY_PROBE_EVERY_MS: milliseconds(500),
  GATEWAY_PROBE_TIMEOUT_MS: milliseconds(750),
  /** How long addresses that were looked up hold at most: DNS may say a shorter time. */
  GATEWAY_DNS_MAX_AGE_MS: milliseconds(5000),
}
