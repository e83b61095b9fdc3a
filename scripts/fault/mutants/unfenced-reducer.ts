import type { ServingState } from '@millrace/contracts/events/model-events.ts'

/** A pod's reducer without its fence: it applies every record as it comes. Here to prove that the checker would find it. */
export class UnfencedReducer {
  readonly #onSwap: (state: ServingState) => void

  constructor(onSwap: (state: ServingState) => void) {
    this.#onSwap = onSwap
  }

  apply(state: ServingState): boolean {
    this.#onSwap(state)
    return true
  }
}
