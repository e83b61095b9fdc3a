import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import type { Metrics } from '../telemetry/metrics.ts'

export interface AttemptOptions {
  readonly metrics: Metrics
  /** Name of what asks, in front of its metrics, and its description in them. */
  readonly name: string
  readonly what: string
  /** Longest wait for one answer. Default 2 ms: on the prediction path a late answer is worth less than none. */
  readonly timeoutMs?: number | undefined
  /** How long the server is left alone after `FAULTS_UNTIL_OPEN` faults in a row. Default 1 s. */
  readonly halfOpenAfterMs?: number | undefined
}

const FAULTS_UNTIL_OPEN = 5

/** Runs one command within the time and behind the breaker; null for every fault. */
export type Attempt = <T>(operation: string, work: () => Promise<T>) => Promise<T | null>

export function createAttempt({ metrics, name, what, timeoutMs = 2, halfOpenAfterMs = 1_000 }: AttemptOptions): Attempt {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: halfOpenAfterMs, breaker: new ConsecutiveBreaker(FAULTS_UNTIL_OPEN) })
  const faults = metrics.counter(`${name}_faults_total`, `Calls of the ${what} that failed, came too late or were not made`, ['operation'])
  const open = metrics.gauge(`${name}_breaker_open`, `Whether the ${what} is left alone because it failed`)
  open.set({}, 0)
  breaker.onBreak(() => open.set({}, 1))
  breaker.onReset(() => open.set({}, 0))
  return async function attempt(operation, work) {
    try {
      return await breaker.execute(() => within(timeoutMs, work()))
    } catch {
      faults.add({ operation })
      return null
    }
  }
}

function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
