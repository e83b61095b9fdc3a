/** One of something that takes long to start, kept ready. */
export interface Spare<T> {
  /** The one that is ready, or a new one. */
  take(): Promise<T>
  /** Starts the next one, unless there is one already or one is given back within `refillAfterMs`. */
  refill(): void
  /** Gives back what can be used again; ended where there is one already. */
  give(item: T): void
  stop(): Promise<void>
}

export interface SpareOptions<T> {
  /** May fail: the failure is told to whoever takes next, who starts anew. */
  readonly start: () => Promise<T>
  readonly end: (item: T) => void | Promise<void>
  readonly usable: (item: T) => boolean
  /** How long `refill` waits for one that is given back. Default 0: not at all. */
  readonly refillAfterMs?: number
}

export function createSpare<T>({ start, end, usable, refillAfterMs = 0 }: SpareOptions<T>): Spare<T> {
  let ready: Promise<T> | null = null
  let timer: NodeJS.Timeout | null = null
  let stopped = false

  function startNext(): void {
    timer = null
    if (ready || stopped) return
    ready = start()
    ready.catch(() => undefined)
  }

  return {
    async take() {
      const present = ready
      ready = null
      const item = await present?.catch(() => null)
      return item && usable(item) ? item : start()
    },
    refill() {
      if (ready || stopped || timer) return
      if (refillAfterMs === 0) startNext()
      else timer = setTimeout(startNext, refillAfterMs).unref()
    },
    give(item) {
      if (!ready && !stopped && usable(item)) ready = Promise.resolve(item)
      else void end(item)
    },
    async stop() {
      stopped = true
      if (timer) clearTimeout(timer)
      const item = await ready?.catch(() => null)
      ready = null
      if (item) await end(item)
    },
  }
}
