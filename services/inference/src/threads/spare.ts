/** One of something that takes long to start, kept ready. */
export interface Spare<T> {
  /** The one that is ready, or a new one. */
  take(): Promise<T>
  /** Starts the next one, unless there is one already. */
  refill(): void
  /** Gives back what can be used again; ended where there is one already. */
  give(item: T): void
  stop(): Promise<void>
}

/** `start` may fail: the failure is told to whoever takes next, who starts anew. */
export function createSpare<T>(options: { start: () => Promise<T>; end: (item: T) => void | Promise<void>; usable: (item: T) => boolean }): Spare<T> {
  let ready: Promise<T> | null = null
  let stopped = false
  return {
    async take() {
      const present = ready
      ready = null
      const item = await present?.catch(() => null)
      return item && options.usable(item) ? item : options.start()
    },
    refill() {
      if (ready || stopped) return
      ready = options.start()
      ready.catch(() => undefined)
    },
    give(item) {
      if (!ready && !stopped && options.usable(item)) ready = Promise.resolve(item)
      else void options.end(item)
    },
    async stop() {
      stopped = true
      const item = await ready?.catch(() => null)
      ready = null
      if (item) await options.end(item)
    },
  }
}
