export interface BudgetRules {
  /** Retries per hundred requests. */
  readonly percent: number
  /** Retries that are always allowed, however few requests there are. */
  readonly minPerSecond: number
}

/** Unused retries are kept for this long: a pod that dies with many requests in its hands makes many retries at once. */
const KEPT_SECONDS = 10

/**
 * Retries as a share of requests: without a bound, retries multiply the load on pods that cannot carry it as it is. Requests earn, retries spend (as in Finagle's
 * RetryBudget).
 */
export class RetryBudget {
  readonly #perRequest: number
  readonly #perMs: number
  readonly #most: number
  #tokens: number
  #countedAtMs: number

  constructor({ percent, minPerSecond }: BudgetRules, nowMs: number) {
    this.#perRequest = percent / 100
    this.#perMs = minPerSecond / 1000
    // A hundred requests per second earn as much as 100 * percent / 100; what a much larger load earns is spent as it comes.
    this.#most = Math.max(1, minPerSecond * KEPT_SECONDS + percent * KEPT_SECONDS)
    this.#tokens = Math.min(this.#most, minPerSecond * KEPT_SECONDS)
    this.#countedAtMs = nowMs
  }

  earn(): void {
    this.#tokens = Math.min(this.#most, this.#tokens + this.#perRequest)
  }

  /** Whether a retry may be made; it is counted then. */
  spend(nowMs: number): boolean {
    this.#tokens = Math.min(this.#most, this.#tokens + (nowMs - this.#countedAtMs) * this.#perMs)
    this.#countedAtMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
