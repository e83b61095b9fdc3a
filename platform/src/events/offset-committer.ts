import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

export interface OffsetCommitter {
  commit(next: number): void
  /** Resolves when all that was asked for is written. */
  drain(): Promise<void>
}

/** One commit in flight; what is handled meanwhile goes into the next one. */
export function createCommitter(write: (next: number) => Promise<void>, log: Log): OffsetCommitter {
  let wanted = 0
  let written = 0
  let running: Promise<void> = Promise.resolve()
  let busy = false

  async function run(): Promise<void> {
    while (written < wanted) {
      const next = wanted
      await write(next)
      written = next
    }
  }

  return {
    commit(next) {
      wanted = next
      if (busy) return
      busy = true
      running = run()
        .catch((error: unknown) => log.warn('An offset could not be committed; its records may be delivered again', { reason: messageOf(error) }))
        .finally(() => {
          busy = false
        })
    },
    drain: () => running,
  }
}
