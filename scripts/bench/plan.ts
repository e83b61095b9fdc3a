/** How much is measured. */
export interface Plan {
  readonly promotions: number
  /** Predictions per second through the gateway while versions are swapped. */
  readonly predictionsPerSecond: number
  /** Between the moment at which every pod has a version and the next promotion. */
  readonly pauseMs: number
  readonly throughputEvents: number
  /** For the latency of an event where nothing waits. */
  readonly latency: { readonly events: number; readonly perSecond: number }
  readonly backlogEvents: number
  readonly outageMs: number
  readonly eventsPerSecondInOutage: number
}

const common = { predictionsPerSecond: 500, pauseMs: 200, eventsPerSecondInOutage: 50 }

export const fullPlan: Plan = {
  ...common,
  ...{ promotions: 200, throughputEvents: 10_000, latency: { events: 2_000, perSecond: 200 }, backlogEvents: 10_000, outageMs: 20_000 },
}

/** Shows that everything works; its figures say little. */
export const quickPlan: Plan = {
  ...common,
  ...{ promotions: 20, throughputEvents: 1_000, latency: { events: 400, perSecond: 200 }, backlogEvents: 1_000, outageMs: 5_000 },
}
