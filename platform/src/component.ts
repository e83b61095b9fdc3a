/** Something that runs: whoever holds `value` sees only the business interface; the owner calls `stop`, once, and it drains. */
export interface Started<T> {
  readonly value: T
  stop(): Promise<void>
}

/** Starts parts in order and stops them in reverse; a failed start stops what was started before it. */
export class Lifetime {
  readonly #stops: (() => Promise<void>)[] = []
  #stopping: Promise<void> | null = null

  async start<T>(part: Promise<Started<T>> | Started<T>): Promise<T> {
    try {
      const started = await part
      this.#stops.push(() => started.stop())
      return started.value
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Registers a clean-up that runs before everything that was started earlier. */
  onStop(stop: () => Promise<void>): void {
    this.#stops.push(stop)
  }

  /** Stops everything even where a part fails to, then throws the first failure. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    const failures: unknown[] = []
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
}
