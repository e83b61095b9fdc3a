import { z } from 'zod'

/** Unix time in milliseconds, with fractions where the clock has them, by the event's subject. */
export const eventTimes = z.array(z.tuple([z.string(), z.number()]))
export type EventTimes = z.infer<typeof eventTimes>

/** One clock for all processes of the machine, finer than `Date.now`. It does not follow corrections of the system's clock, so it is read anew at each start. */
export const nowMs = (): number => performance.timeOrigin + performance.now()

/** From commit to the end of handling, for each event, in the order of commits. @throws Error naming an event that was not handled */
export function delaysOf(committed: EventTimes, handled: EventTimes): number[] {
  const handledAt = new Map(handled)
  return committed.map(([subject, at]) => {
    const end = handledAt.get(subject)
    if (end === undefined) throw new Error(`event ${subject} was committed and never handled`)
    return end - at
  })
}

export const firstMs = (times: EventTimes): number => Math.min(...times.map(([, at]) => at))
export const lastMs = (times: EventTimes): number => Math.max(...times.map(([, at]) => at))
