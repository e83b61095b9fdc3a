import { expect, test } from 'vitest'
import { findSlowPods } from './latency-outlier.ts'
import { mayEject, pickPod } from './pick-pod.ts'
import { PodHealth } from './pod-health.ts'

const rules = { faultsUntilEjection: 3, ejectionMs: 1000, slowStartMs: 10_000 }
const first = () => new PodHealth(rules, 0, true)
const podOf = (inFlight: number, health = first()) => ({ health, inFlight })
const failUntilEjected = (health: PodHealth, nowMs: number): number => {
  let faults = 1
  while (!health.failed(nowMs)) faults += 1
  health.eject(nowMs)
  return faults
}

test('faults in a row lead to ejection, a good answer in between begins the count anew', () => {
  const health = first()
  expect([health.failed(0), health.failed(0)]).toEqual([false, false])
  health.answered(5)
  expect([health.failed(0), health.failed(0), health.failed(0)]).toEqual([false, false, true])
})

test('each ejection in close succession lasts longer, one bad answer after the return is enough for the next, and good conduct is forgiven', () => {
  const health = first()
  expect(failUntilEjected(health, 0)).toBe(3)
  expect([health.isServing(999), health.isServing(1000)]).toEqual([false, true])
  expect(failUntilEjected(health, 1000)).toBe(1)
  expect([health.isServing(2999), health.isServing(3000)]).toEqual([false, true])
  health.forgive(3000)
  expect(failUntilEjected(health, 3000)).toBe(1)
  expect(health.isServing(5999)).toBe(false)
  for (const nowMs of [20_000, 40_000, 60_000]) health.forgive(nowMs)
  expect(failUntilEjected(health, 60_000)).toBe(3)
  expect(health.isServing(61_000)).toBe(true)
})

test('a pod of the first list has its whole share at once; one that joins, or comes back, has a share that grows', () => {
  expect(first().share(0)).toBe(1)
  const joining = new PodHealth(rules, 0, false)
  expect([0, 2000, 5000, 10_000].map((nowMs) => joining.share(nowMs))).toEqual([0.1, 0.2, 0.5, 1])
  const back = first()
  back.eject(0)
  expect([1000, 6000, 11_000].map((nowMs) => back.share(nowMs))).toEqual([0.1, 0.5, 1])
})

test('a pod that says no gets nothing new; one is gone when it does not answer twice in a row; a yes brings it back with a small share', () => {
  const health = first()
  health.probed(false, 0)
  expect([health.readiness, health.isServing(0)]).toEqual(['not_ready', false])
  health.probed(true, 20_000)
  expect([health.isServing(20_000), health.share(20_000)]).toEqual([true, 0.1])
  health.probed(null, 20_000)
  expect(health.isServing(20_000)).toBe(true)
  health.probed(null, 20_000)
  expect([health.readiness, health.isServing(20_000)]).toEqual(['gone', false])
  health.probed(true, 20_000)
  expect(health.isServing(20_000)).toBe(true)
})

test('the pod with the fewest requests for its share is asked; equals take turns; one that does not serve only where none does', () => {
  const busy = podOf(5)
  const calm = podOf(1)
  expect([0, 1, 2].map((turn) => pickPod([busy, calm], [], 0, turn))).toEqual([calm, calm, calm])
  const [left, right] = [podOf(0), podOf(0)]
  expect(new Set([0, 1].map((turn) => pickPod([left, right], [], 0, turn)))).toEqual(new Set([left, right]))
  const joining = podOf(0, new PodHealth(rules, 0, false))
  expect(pickPod([joining, calm], [], 0, 0)).toBe(calm)
  calm.health.eject(0)
  expect(pickPod([calm, busy], [], 0, 0)).toBe(busy)
  busy.health.eject(0)
  expect(pickPod([calm, busy], [], 0, 0)).toBe(calm)
  expect(pickPod([calm], [calm], 0, 0)).toBeNull()
  expect(pickPod([], [], 0, 0)).toBeNull()
})

test('a part of the pods may be left alone at most, and never the last', () => {
  expect([0, 1].map((ejected) => mayEject(3, ejected, 50))).toEqual([true, false])
  expect([0, 4, 5].map((ejected) => mayEject(10, ejected, 50))).toEqual([true, true, false])
  expect(mayEject(1, 0, 100)).toBe(false)
  expect(mayEject(2, 1, 100)).toBe(false)
})

test('a pod is slow beside its siblings: several times their median, and by more than noise', () => {
  const answering = (latencyMs: number, answers = 20) => {
    const pod = podOf(0)
    for (let index = 0; index < answers; index++) pod.health.answered(latencyMs)
    return pod
  }
  const slow = answering(400)
  expect(findSlowPods([answering(20), answering(25), slow])).toEqual([slow])
  expect(findSlowPods([answering(1), answering(1), answering(20)])).toEqual([])
  expect(findSlowPods([answering(20), answering(400, 3)])).toEqual([])
  expect(findSlowPods([answering(400)])).toEqual([])
  expect(findSlowPods([answering(300), answering(400)])).toEqual([])
})
