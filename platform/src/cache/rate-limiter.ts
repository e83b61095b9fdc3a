/** How often something may be done: `limit` times in a window of `seconds`, which begins with the first time. */
export interface RateRule {
  /** Rules of different names do not share their counts. */
  readonly name: string
  readonly limit: number
  /** Whole seconds. */
  readonly seconds: number
}

export interface Usage {
  /** Times counted in the present window. */
  readonly used: number
  /** Until the window ends and counting begins anew; 0 where nothing is counted. */
  readonly resetMs: number
}

/** Counts by key under one rule, and never fails: a fault makes the count less exact. The caller compares `used` with the limit. */
export interface RateLimiter {
  /** Counts one; the answer includes it. */
  count(key: string): Promise<Usage>
  /** What this process knows without counting. Where others count too, that is the state of its own last `count`. */
  look(key: string): Promise<Usage>
}

/** Opens the limiter of a rule. */
export type RateLimiters = (rule: RateRule) => RateLimiter
