import type { Clock, NewId } from '../clock.ts'

export interface FixedClock extends Clock {
  /** Moves the time on. */
  advance(ms: number): void
  set(time: Date | string): void
}

/** A clock that stands still until it is moved; it starts at `start`. */
export function fixedClock(start: Date | string = '2026-01-01T00:00:00.000Z'): FixedClock {
  let now = new Date(start).getTime()
  return Object.assign(() => new Date(now), {
    advance: (ms: number) => {
      now += ms
    },
    set: (time: Date | string) => {
      now = new Date(time).getTime()
    },
  })
}

/** Ids that count: `00000000-0000-7000-8000-000000000001` and so on, valid as UUIDv7. */
export function countingIds(): NewId {
  let count = 0
  return () => `00000000-0000-7000-8000-${String(++count).padStart(12, '0')}`
}
