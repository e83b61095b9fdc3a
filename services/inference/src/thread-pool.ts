import type { ServingPriority } from '@millrace/contracts/model/serving-settings.ts'

/** The threads that models share beyond the one that each has for itself: as many as there are cores, so that no model can take the machine. */
export interface ThreadPool {
  /** Takes one, if there is one for this priority: half of them are kept from low ones, one from all but high ones. */
  take(priority: ServingPriority): boolean
  giveBack(): void
  readonly free: number
}

export function createThreadPool(size: number): ThreadPool {
  let free = size
  const keptFrom: Readonly<Record<ServingPriority, number>> = { high: 0, normal: size > 2 ? 1 : 0, low: Math.ceil(size / 2) }
  return {
    take(priority) {
      if (free <= keptFrom[priority]) return false
      free -= 1
      return true
    },
    giveBack() {
      free = Math.min(size, free + 1)
    },
    get free() {
      return free
    },
  }
}
