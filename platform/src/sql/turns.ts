import { TransientError } from '../errors.ts'

/** Lets one at a time through, in the order of asking. */
export interface Turns {
  take<T>(work: () => Promise<T>): Promise<T>
  /** Refuses newcomers; resolves when everyone who waits had their turn. */
  close(): Promise<void>
}

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  let closed = false
  return {
    take<T>(work: () => Promise<T>): Promise<T> {
      if (closed) return Promise.reject(new TransientError('the database is closed'))
      const mine = last.then(work)
      last = mine.catch(() => undefined)
      return mine
    },
    async close() {
      closed = true
      await last
    },
  }
}
