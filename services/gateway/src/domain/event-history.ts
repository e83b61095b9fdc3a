/** An event as the live stream shows it. `position` is its place in the log, `<topic>/<partition>/<offset>`, and survives a restart. */
export interface LiveEvent {
  readonly position: string
  readonly id: string
  readonly type: string
  readonly topic: string
  readonly subject: string
  readonly time: string
  readonly data: unknown
}

/** The newest events, oldest first. */
export class EventHistory {
  readonly #capacity: number
  #events: LiveEvent[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  add(event: LiveEvent): void {
    this.#events.push(event)
    // Trimmed in bulk: shifting an array for every event would move all of it each time.
    if (this.#events.length >= this.#capacity * 2) this.#events = this.#events.slice(-this.#capacity)
  }

  /** Topics are read one beside the other: what was there before the start is put into the order in which it happened. */
  sort(): void {
    this.#events = this.#events.toSorted((left, right) => Date.parse(left.time) - Date.parse(right.time))
  }

  newest(count: number): readonly LiveEvent[] {
    return count === 0 ? [] : this.#events.slice(-Math.min(count, this.#capacity))
  }

  /** What came after `position`; everything that is left where that is no longer known, so that a reader who was away for long misses as little as can be. */
  after(position: string): readonly LiveEvent[] {
    const index = this.#events.findLastIndex((event) => event.position === position)
    return index < 0 ? this.newest(this.#capacity) : this.#events.slice(index + 1)
  }
}
