import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  type FailureReason,
  handleWhen,
  type IPolicy,
  type IRetryBackoffContext,
  retry,
  wrap,
} from 'cockatiel'
import { TransientError } from '../errors.ts'
import { UnavailableError } from './remote-error.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000
const RETRIES = 3
const FAILURES_UNTIL_OPEN = 10
const HALF_OPEN_AFTER_MS = 2000

/** Runs one call under the policy; `repeatable` says whether it may be made again. */
export type CallPolicy = <T>(repeatable: boolean, signal: AbortSignal, attempt: () => Promise<T>) => Promise<T>

/**
 * Retry (three, full jitter, honouring `Retry-After`) around a breaker. Only transient faults count: refusals are answers. While the breaker is open calls fail
 * at once with `TransientError`.
 */
export function createCallPolicy(who: string): CallPolicy {
  const isTransient = (error: unknown) => error instanceof TransientError
  const breaker = circuitBreaker(handleWhen(isTransient), { halfOpenAfter: HALF_OPEN_AFTER_MS, breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN) })
  const backoff = new DelegateBackoff(fullJitter)
  const repeating: IPolicy = wrap(retry(handleWhen(isTransient), { maxAttempts: RETRIES, backoff }), breaker)
  return async function callUnderPolicy(repeatable, signal, attempt) {
    try {
      return await (repeatable ? repeating : breaker).execute(attempt, signal)
    } catch (error) {
      if (error instanceof BrokenCircuitError)
        throw new TransientError(`${who} failed ${FAILURES_UNTIL_OPEN} times in a row: not asking it for a moment`, { cause: error })
      throw error
    }
  }
}

/** A random pause up to a bound that doubles (AWS, "Exponential Backoff and Jitter"), and at least what the sibling asked for. */
function fullJitter({ attempt, result }: IRetryBackoffContext<unknown> & { result: FailureReason<unknown> }): number {
  const asked = 'error' in result && result.error instanceof UnavailableError ? result.error.retryAfterMs : 0
  const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1))
  return Math.min(LONGEST_PAUSE_MS, Math.max(asked, Math.random() * bound))
}
