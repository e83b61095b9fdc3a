import type { GateResult } from '@millrace/contracts/events/fields.ts'
import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  afterGates,
  afterPromotion,
  afterRefusal,
  afterRollback,
  afterStaleGeneration,
  approve,
  type Decision,
  onActivated,
  onLoadFailed,
  reject,
  supersede,
  type Transition,
} from './decision.ts'

const policy: PromotionPolicy = {
  metrics: {},
  champion: null,
  signatureCompatible: false,
  maxSizeBytes: null,
  maxLatencyMs: null,
  parityTolerance: null,
  approval: 'auto',
  directPromotion: 'allowed',
}
const now = new Date('2026-01-01T00:00:00Z')
const later = new Date('2026-01-01T01:00:00Z')

const decision: Decision = {
  ...{ decisionId: 'd', model: 'fish', version: '2', policyVersion: 0, policy, state: 'evaluating', championVersion: null, generation: 0, gates: [] },
  ...{ reason: '', decidedBy: 'promoter', approval: null, promotedGeneration: null, watchUntil: null, rollbackReason: null, round: 0 },
}
const gate = (outcome: string): GateResult => ({ gate: 'parity', outcome, message: 'said so', measured: null, limit: null, evidence: {} })
const judged = (outcome: string, championVersion: string | null = '1') => ({ gates: [gate(outcome)], championVersion, generation: 7 })
const after = (transition: Transition): Decision => transition?.next ?? expect.fail('nothing changed')

const promoting = after(afterGates(decision, judged('pass')))
const watched = after(afterPromotion(promoting, 8, later))
const awaiting = after(afterGates({ ...decision, policy: { ...policy, approval: 'manual' } }, judged('pass')))

test('passed gates promote at once where no approval is asked for', () => {
  expect(promoting).toMatchObject({ state: 'promoting', generation: 7, championVersion: '1' })
})

test('passed gates wait for a person where the policy says so', () => {
  expect(awaiting.state).toBe('awaiting-approval')
  expect(after(approve(awaiting, 'ana', 'looks good'))).toMatchObject({ state: 'promoting', decidedBy: 'ana' })
  expect(after(reject(awaiting, 'ana', 'not now'))).toMatchObject({ state: 'rejected', reason: 'not now' })
})

test('one failed gate rejects, and says which', () => {
  const transition = afterGates(decision, { ...judged('pass'), gates: [gate('pass'), gate('fail')] })
  expect(transition).toMatchObject({ next: { state: 'rejected', reason: 'parity: said so' }, announcements: [{ kind: 'evaluated' }, { kind: 'rejected' }] })
})

test('only a decision that waits can be approved or rejected by a person', () => {
  for (const other of [decision, promoting, watched]) {
    expect(approve(other, 'ana', 'x')).toBeNull()
    expect(reject(other, 'ana', 'x')).toBeNull()
  }
})

test('a stale generation is decided anew, a bounded number of times', () => {
  const again = after(afterStaleGeneration(promoting, 2))
  expect(again).toMatchObject({ state: 'evaluating', round: 1 })
  const promotingAgain = after(afterGates(again, judged('pass')))
  expect(after(afterStaleGeneration(promotingAgain, 2))).toMatchObject({ state: 'failed' })
})

test('an approval holds when it is decided anew against the same champion, and only then', () => {
  const approved = after(approve(awaiting, 'ana', 'looks good'))
  const again = after(afterStaleGeneration(approved, 5))
  expect(after(afterGates(again, judged('pass', '1')))).toMatchObject({ state: 'promoting', decidedBy: 'ana' })
  expect(after(afterGates(again, judged('pass', '9')))).toMatchObject({ state: 'awaiting-approval', approval: null })
})

test('a pod that serves the version as of the promotion ends it well', () => {
  expect(onActivated(watched, { version: '2', generation: 7 })).toBeNull()
  expect(onActivated(watched, { version: '1', generation: 8 })).toBeNull()
  expect(after(onActivated(watched, { version: '2', generation: 8 })).state).toBe('promoted')
})

test('a pod that cannot load it takes the promotion back while it is watched, not afterwards', () => {
  const served = after(onActivated(watched, { version: '2', generation: 8 }))
  const failure = { version: '2', generation: 8, message: 'bad graph' }
  for (const live of [watched, served]) {
    const taken = after(onLoadFailed(live, failure, now))
    expect(taken.rollbackReason).toBe('bad graph')
    expect(after(afterRollback(taken, 'Version 1 is back'))).toMatchObject({ state: 'failed', reason: 'A pod cannot load it: bad graph. Version 1 is back' })
  }
  expect(onLoadFailed(served, failure, new Date('2026-01-01T01:00:01Z'))).toBeNull()
})

const version = fc.constantFrom('1', '2')
const generation = fc.integer({ min: 6, max: 10 })
const command: fc.Arbitrary<(decision: Decision) => Transition> = fc.oneof(
  fc.constantFrom('pass', 'fail', 'skipped').map((outcome) => (at: Decision) => afterGates(at, judged(outcome))),
  fc.constant((at: Decision) => approve(at, 'ana', 'yes')),
  fc.constant((at: Decision) => reject(at, 'ana', 'no')),
  fc.constant((at: Decision) => afterPromotion(at, at.generation + 1, later)),
  fc.constant((at: Decision) => afterStaleGeneration(at, 3)),
  fc.constant((at: Decision) => afterRefusal(at, 'no right')),
  fc.tuple(version, generation).map(
    ([v, g]) =>
      (at: Decision) =>
        onActivated(at, { version: v, generation: g }),
  ),
  fc.tuple(version, generation).map(
    ([v, g]) =>
      (at: Decision) =>
        onLoadFailed(at, { version: v, generation: g, message: 'bad' }, now),
  ),
  fc.constant((at: Decision) => afterRollback(at, 'done')),
  fc.constant((at: Decision) => supersede(at, 'newer')),
)
const over = ['rejected', 'failed', 'superseded']

test('whatever happens in whatever order: no promotion without passed gates, no way back from the end, no endless rounds', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), fc.constantFrom('auto' as const, 'manual' as const), (commands, approval) => {
      let at: Decision = { ...decision, policy: { ...policy, approval } }
      for (const run of commands) {
        const transition = run(at)
        if (!transition) continue
        const { next, announcements } = transition
        expect(over).not.toContain(at.state)
        if (next.state === 'promoting' || next.state === 'promoted') expect(next.gates.every((one) => one.outcome !== 'fail')).toBe(true)
        if (next.state === 'promoted') expect(next.promotedGeneration).not.toBeNull()
        if (at.state === 'promoted') expect(['promoted', 'failed']).toContain(next.state)
        expect(announcements.some((one) => one.kind === 'rejected')).toBe(next.state === 'rejected')
        expect(next.round).toBeLessThanOrEqual(3)
        at = next
      }
    }),
    { numRuns: 500 },
  )
})
