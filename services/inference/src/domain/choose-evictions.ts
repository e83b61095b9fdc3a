/** A version in memory, as a candidate to be unloaded. */
export interface Resident {
  readonly model: string
  readonly key: string
  readonly bytes: number
  /** What is worth less goes first: kept for a rollback, candidate, Production. */
  readonly worth: 'kept' | 'candidate' | 'production'
  readonly lastUsedMs: number
  readonly inFlight: number
}

const ORDER = ['kept', 'candidate', 'production']

/**
 * Versions to unload so that `neededBytes` become free: what is worth least and was used least recently first. Nothing that has requests in flight, nor (kept
 * versions apart) anything used within `idleMs`. Null where that is not enough: then nothing should go.
 */
export function chooseEvictions(residents: readonly Resident[], neededBytes: number, { nowMs, idleMs }: { nowMs: number; idleMs: number }): Resident[] | null {
  const idle = residents.filter(({ inFlight, worth, lastUsedMs }) => inFlight === 0 && (worth === 'kept' || nowMs - lastUsedMs >= idleMs))
  const chosen: Resident[] = []
  let freed = 0
  for (const resident of idle.sort((a, b) => ORDER.indexOf(a.worth) - ORDER.indexOf(b.worth) || a.lastUsedMs - b.lastUsedMs)) {
    if (freed >= neededBytes) break
    chosen.push(resident)
    freed += resident.bytes
  }
  return freed >= neededBytes ? chosen : null
}
