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

  /** The last look and the end of the work are one step, so that no `commit` can fall between them and be forgotten. */
  async function run(): Promise<void> {
    try {
      while (written < wanted) {
        const next = wanted
        await write(next)
        written = next
      }
    } catch (error) {
      log.warn('An offset could not be committed; its records may be delivered again', { reason: messageOf(error) })
    } finally {
      busy = false
    }
  }

  return {
    commit(next) {
      wanted = next
      if (busy) return
      busy = true
      running = run()
    },
    drain: () => running,
  }
}
