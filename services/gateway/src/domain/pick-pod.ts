import type { PodHealth } from './pod-health.ts'

/** A pod as the choice sees it. */
export interface Candidate {
  readonly health: PodHealth
  readonly inFlight: number
}

/**
 * The pod with the fewest requests in progress for its share, among those that serve and are not in `tried`; among the others where none serves. Equals take turns:
 * `turn` is a number that grows with every choice. Null when all were tried.
 */
export function pickPod<Pod extends Candidate>(pods: readonly Pod[], tried: readonly Pod[], nowMs: number, turn: number): Pod | null {
  let best: Pod | null = null
  let bestServes = false
  let bestLoad = 0
  for (let index = 0; index < pods.length; index++) {
    const pod = pods[(turn + index) % pods.length]
    if (!pod || tried.includes(pod)) continue
    const serves = pod.health.isServing(nowMs)
    const load = (pod.inFlight + 1) / pod.health.share(nowMs)
    if (best !== null && (serves === bestServes ? load >= bestLoad : bestServes)) continue
    best = pod
    bestServes = serves
    bestLoad = load
  }
  return best
}

/** Whether one more of `total` pods may be left alone: a part at most, and never the last. */
export const mayEject = (total: number, ejected: number, maxPercent: number): boolean =>
  total > 1 && ejected + 1 <= Math.max(1, Math.floor((total * maxPercent) / 100)) && ejected + 1 < total
