import { servingObserved } from '@millrace/contracts/events/serving-events.ts'
import { latencyBuckets } from '@millrace/platform/telemetry/metrics.ts'
import type { InferenceDeps } from './deps.ts'
import { type ArmCounts, countRequest, noCounts } from './domain/arm-counts.ts'
import type { BackgroundPublisher } from './publish-in-background.ts'
import { type ServedModel, servedArms } from './served-model.ts'

/** Whose counts: the arm that answered, under the generation it answered in. */
export interface ObservedArm {
  readonly model: string
  readonly version: string
  readonly arm: string
  readonly generation: number
  readonly digest: string
}

export interface ArmObserver {
  count(arm: ObservedArm, seconds: number, failed: boolean): void
  /** Publishes the window since the last call for every arm that is loaded or was asked; then begins the next. */
  publish(served: readonly ServedModel[]): void
}

/** Exact counts for the tests of the promoter, one window after the other without gaps, in the memory of this incarnation. */
export function createArmObserver(deps: Pick<InferenceDeps, 'clock'> & { pod: string; incarnation: string; publisher: BackgroundPublisher }): ArmObserver {
  let counts = new Map<string, { arm: ObservedArm; counts: ArmCounts }>()
  let windowStart = deps.clock()
  const keyOf = ({ model, version, arm, generation }: ObservedArm): string => `${model}\0${version}\0${arm}\0${generation}`
  return {
    count(arm, seconds, failed) {
      const key = keyOf(arm)
      const before = counts.get(key)?.counts ?? noCounts(latencyBuckets)
      counts.set(key, { arm, counts: countRequest(before, latencyBuckets, seconds, failed) })
    },
    publish(served) {
      const windowEnd = deps.clock()
      for (const arm of served.flatMap(observedArms)) if (!counts.has(keyOf(arm))) counts.set(keyOf(arm), { arm, counts: noCounts(latencyBuckets) })
      for (const { arm, counts: counted } of counts.values()) {
        const { requests, failures, latencyCounts } = counted
        const window = { windowStart: windowStart.toISOString(), windowEnd: windowEnd.toISOString() }
        const data = { pod: deps.pod, incarnation: deps.incarnation, ...arm, ...window, requests, failures, latencyEdges: [...latencyBuckets] }
        deps.publisher.say(servingObserved, arm.model, { ...data, latencyCounts: [...latencyCounts] }, windowEnd)
      }
      counts = new Map()
      windowStart = windowEnd
    },
  }
}

const observedArms = (served: ServedModel): ObservedArm[] =>
  servedArms(served).map(({ arm, loaded }) => ({ model: served.model, version: arm.version, arm: arm.arm, generation: arm.generation, digest: loaded.digest }))
