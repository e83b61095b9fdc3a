import { AppError } from '@millrace/platform/errors.ts'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

const FAILURES_PER_MINUTE = 30

export interface RateLimit {
  /** Counts a request. @throws AppError REQUEST_LIMIT_EXCEEDED with `retryAfterSeconds` */
  take(quota: string): Promise<void>
  /** Refuses an address that tried too many keys which do not hold. @throws AppError REQUEST_LIMIT_EXCEEDED */
  checkFailures(address: string): Promise<void>
  countFailure(address: string): Promise<void>
}

/** Counts in this process alone: `perSecond` requests per quota, 0 for no limit. */
export function createRateLimit(perSecond: number): RateLimit {
  const requests = perSecond > 0 ? new RateLimiterMemory({ points: perSecond, duration: 1 }) : null
  const failures = new RateLimiterMemory({ points: FAILURES_PER_MINUTE, duration: 60 })
  return {
    async take(quota) {
      await requests?.consume(quota).catch((refusal: unknown) => refuse(refusal, `More than ${perSecond} requests per second: slow down.`))
    },
    async checkFailures(address) {
      const state = await failures.get(address)
      if (state && state.consumedPoints >= FAILURES_PER_MINUTE) refuse(state, 'Too many attempts with keys that do not hold: wait a minute.')
    },
    async countFailure(address) {
      await failures.penalty(address)
    },
  }
}

function refuse(state: unknown, message: string): never {
  if (!(state instanceof RateLimiterRes)) throw state
  throw new AppError('REQUEST_LIMIT_EXCEEDED', message, { details: { retryAfterSeconds: state.msBeforeNext / 1000 } })
}
