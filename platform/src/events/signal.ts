/** Wakes whoever waits; a wake that nobody waits for is kept for the next one. */
export interface WakeSignal {
  wake(): void
  /** Resolves at the next wake (or at once after a kept one), after `timeoutMs`, or when `signal` aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>
}

export function createWakeSignal(): WakeSignal {
  let pending = false
  let resolveWaiting: (() => void) | null = null
  return {
    wake() {
      pending = true
      resolveWaiting?.()
    },
    async wait(timeoutMs, signal) {
      if (!pending && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(finish, timeoutMs)
          function finish(): void {
            clearTimeout(timer)
            signal.removeEventListener('abort', finish)
            resolveWaiting = null
            resolve()
          }
          resolveWaiting = finish
          signal.addEventListener('abort', finish, { once: true })
        })
      }
      pending = false
    },
  }
}

/** Full jitter: a random pause up to `baseMs` * 2^attempt, at most `capMs` (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export const fullJitterMs = (attempt: number, baseMs: number, capMs: number): number => Math.random() * Math.min(capMs, baseMs * 2 ** attempt)

/** Resolves after `ms`, or at once when `signal` aborts. */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await createWakeSignal().wait(ms, signal)
}
