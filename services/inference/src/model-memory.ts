import { chooseEvictions, type Resident } from './domain/choose-evictions.ts'
import { LoadFailure } from './load-failure.ts'

export interface MemoryLimits {
  /** What all models together may take. */
  readonly memoryBytes: number
  /** What was used within this time is not unloaded for another model. */
  readonly idleMs: number
}

/**
 * Makes room for `neededBytes` by unloading what is idle. `usedBytes` is what is taken now, by what is loaded and by what is being loaded.
 * @throws LoadFailure stage memory; transient where time may help
 */
export function makeRoom(limits: MemoryLimits, neededBytes: number, usedBytes: number, residents: readonly Resident[]): Resident[] {
  const { memoryBytes, idleMs } = limits
  if (neededBytes > memoryBytes) {
    throw new LoadFailure('deterministic', 'memory', `The model needs about ${neededBytes} bytes, more than the ${memoryBytes} that this pod has for models`)
  }
  const missingBytes = neededBytes - (memoryBytes - usedBytes)
  if (missingBytes <= 0) return []
  const evicted = chooseEvictions(residents, missingBytes, { nowMs: performance.now(), idleMs })
  if (evicted) return evicted
  const free = Math.max(0, memoryBytes - usedBytes)
  throw new LoadFailure(
    'transient',
    'memory',
    `The model needs about ${neededBytes} bytes in this pod, ${free} of ${memoryBytes} are free and the rest is in use`,
  )
}
