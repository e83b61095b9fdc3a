/** Requests in progress by compartment, bounded in each: one slow model must not take the places of all others. Holds only those in use. */
export class Bulkhead {
  readonly #most: number
  readonly #inFlight = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Takes a place; false when there is none left. */
  enter(compartment: string): boolean {
    const used = this.#inFlight.get(compartment) ?? 0
    if (used >= this.#most) return false
    this.#inFlight.set(compartment, used + 1)
    return true
  }

  leave(compartment: string): void {
    const left = (this.#inFlight.get(compartment) ?? 1) - 1
    if (left > 0) this.#inFlight.set(compartment, left)
    else this.#inFlight.delete(compartment)
  }

  /** Compartments in use. */
  get size(): number {
    return this.#inFlight.size
  }
}
