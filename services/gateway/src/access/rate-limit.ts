import type { RateLimiters, Usage } from '@millrace/platform/cache/rate-limiter.ts'
import { AppError } from '@millrace/platform/errors.ts'

const FAILURES_PER_MINUTE = 30

export interface RateLimit {
  /** Counts a request. @throws AppError REQUEST_LIMIT_EXCEEDED with `retryAfterSeconds` */
  take(quota: string): Promise<void>
  /** Refuses an address that tried too many keys which do not hold. @throws AppError REQUEST_LIMIT_EXCEEDED */
  checkFailures(address: string): Promise<void>
  countFailure(address: string): Promise<void>
}

/** `perSecond` requests per quota, 0 for no limit; gateways with the same limiters share the counts. */
export function createRateLimit(limiters: RateLimiters, perSecond: number): RateLimit {
  const requests = perSecond > 0 ? limiters({ name: 'requests', limit: perSecond, seconds: 1 }) : null
  const failures = limiters({ name: 'failures', limit: FAILURES_PER_MINUTE, seconds: 60 })
  return {
    async take(quota) {
      const usage = await requests?.count(quota)
      if (usage && usage.used > perSecond) refuse(usage, `More than ${perSecond} requests per second: slow down.`)
    },
    async checkFailures(address) {
      const usage = await failures.look(address)
      if (usage.used >= FAILURES_PER_MINUTE) refuse(usage, 'Too many attempts with keys that do not hold: wait a minute.')
    },
    async countFailure(address) {
      await failures.count(address)
    },
  }
}

function refuse({ resetMs }: Usage, message: string): never {
  throw new AppError('REQUEST_LIMIT_EXCEEDED', message, { details: { retryAfterSeconds: resetMs / 1000 } })
}
