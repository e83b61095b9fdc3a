/** Held by one at a time, handed on in the order of asking. */
export interface Lease {
  /** Resolves true when held, false when `signal` aborted first. */
  acquire(signal: AbortSignal): Promise<boolean>
  release(): void
}

export function createLease(): Lease {
  let held = false
  const queue: (() => void)[] = []
  return {
    acquire(signal) {
      if (signal.aborted) return Promise.resolve(false)
      if (!held) {
        held = true
        return Promise.resolve(true)
      }
      return new Promise((resolve) => {
        const grant = (): void => resolve(true)
        queue.push(grant)
        signal.addEventListener('abort', () => {
          const place = queue.indexOf(grant)
          if (place >= 0) queue.splice(place, 1)
          // A grant that came first has resolved already; then this changes nothing.
          resolve(false)
        })
      })
    },
    release() {
      const next = queue.shift()
      if (next) next()
      else held = false
    },
  }
}
