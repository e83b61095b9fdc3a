import type { RateLimiters } from '@millrace/platform/cache/rate-limiter.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Quota } from './settings/quota-settings.ts'

/** Limits of predictions by key and model. */
export interface Quotas {
  /** Counts a prediction; call the answer when it is over. @throws AppError REQUEST_LIMIT_EXCEEDED with `retryAfterSeconds` */
  enter(key: string, model: string): Promise<() => void>
}

type Limit = (key: string, model: string) => Promise<(() => void) | null>

const NOTHING = (): void => undefined
/** A quota of calls in progress says nothing about when one of them ends. */
const RETRY_AFTER_SECONDS = 1

/** Counts of calls per time are shared where `limiters` are; those of calls in progress are this process's own. */
export function createQuotas(quotas: readonly Quota[], limiters: RateLimiters): Quotas {
  const limits = quotas.map((quota, index) => ('inFlight' in quota ? limitInFlight(quota) : limitRate(quota, limiters, index)))
  if (limits.length === 0) return { enter: async () => NOTHING }
  return {
    async enter(key, model) {
      const leaves: (() => void)[] = []
      const leaveAll = (): void => leaves.forEach((leave) => void leave())
      try {
        for (const limit of limits) leaves.push((await limit(key, model)) ?? NOTHING)
      } catch (error) {
        leaveAll()
        throw error
      }
      return leaveAll
    },
  }
}

/** What a quota counts by; null where it is not meant. */
function bucketOf(quota: Quota, key: string, model: string): string | null {
  const meant = (wanted: string | undefined, given: string): boolean => wanted === undefined || wanted === '*' || wanted === given
  if (!meant(quota.key, key) || !meant(quota.model, model)) return null
  return JSON.stringify([quota.key === undefined ? null : key, quota.model === undefined ? null : model])
}

function limitRate(quota: Extract<Quota, { limit: number }>, limiters: RateLimiters, index: number): Limit {
  const { limit, seconds } = quota
  const limiter = limiters({ name: `quota-${index}`, limit, seconds })
  return async function countOne(key, model) {
    const bucket = bucketOf(quota, key, model)
    if (bucket === null) return null
    const { used, resetMs } = await limiter.count(bucket)
    if (used > limit) refuse(`More than ${limit} predictions${ofModel(quota)} in ${seconds} s`, resetMs / 1000)
    return null
  }
}

function limitInFlight(quota: Extract<Quota, { inFlight: number }>): Limit {
  const inFlight = new Map<string, number>()
  const leave = (bucket: string): void => {
    const left = (inFlight.get(bucket) ?? 1) - 1
    if (left > 0) inFlight.set(bucket, left)
    else inFlight.delete(bucket)
  }
  return async function enterOne(key, model) {
    const bucket = bucketOf(quota, key, model)
    if (bucket === null) return null
    const used = inFlight.get(bucket) ?? 0
    if (used >= quota.inFlight) refuse(`More than ${quota.inFlight} predictions${ofModel(quota)} in progress at once`, RETRY_AFTER_SECONDS)
    inFlight.set(bucket, used + 1)
    return () => leave(bucket)
  }
}

const ofModel = ({ model }: Quota): string => (model === undefined ? '' : model === '*' ? ' of one model' : ` of the model ${JSON.stringify(model)}`)

function refuse(what: string, retryAfterSeconds: number): never {
  throw new AppError('REQUEST_LIMIT_EXCEEDED', `${what}: slow down, or ask an administrator for more.`, { details: { reason: 'quota', retryAfterSeconds } })
}
