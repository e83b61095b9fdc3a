/** How patient the client is, in milliseconds. The values were found by measuring outages, pauses and slow handlers. */
export interface KafkaTiming {
  /** A member that the broker has not heard of for this long loses its partitions. */
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** How long the broker waits for the other members when one joins or leaves. */
  readonly rebalanceTimeoutMs: number
  /** Longest time that the broker holds back an answer while there is nothing new; also how long leaving takes. */
  readonly maxWaitMs: number
  readonly connectionTimeoutMs: number
  readonly requestTimeoutMs: number
  /** After this time a publish that nobody confirmed is reported as transient. */
  readonly publishTimeoutMs: number
  /** How often lag and progress are looked at. */
  readonly measureEveryMs: number
  /** A partition with records to fetch that stands still for this long, while the broker answers, means a dead client. */
  readonly watchdogMs: number
}

export const defaultKafkaTiming: KafkaTiming = {
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 2_000,
  rebalanceTimeoutMs: 10_000,
  maxWaitMs: 500,
  connectionTimeoutMs: 3_000,
  requestTimeoutMs: 30_000,
  publishTimeoutMs: 30_000,
  measureEveryMs: 5_000,
  watchdogMs: 60_000,
}
