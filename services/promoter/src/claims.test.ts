import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { fixedClock } from '@millrace/platform/testing/fixed.ts'
import { freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import { expect, test } from 'vitest'
import { finishClaim } from './apply-transition.ts'
import { promoterConfig } from './config.ts'
import { defaultPolicy } from './deps.ts'
import { type Decision, supersede } from './domain/decision.ts'
import { migrations } from './service.ts'
import { claimDecision, extendLease, findDecision, insertDecision, lockModel, postpone } from './store.ts'

const decision: Decision = {
  ...{ decisionId: 'd1', model: 'fish', version: '1', policyVersion: 0, policy: defaultPolicy(promoterConfig.parse({})), state: 'evaluating' },
  ...{ championVersion: null, generation: 0, gates: [], reason: '', decidedBy: 'promoter', approval: null, promotedGeneration: null },
  ...{ watchUntil: null, rollbackReason: null, round: 0 },
}

async function withDecision() {
  const clock = fixedClock()
  const database = await freshDatabase(migrations)
  await database.transaction(async (tx) => {
    await lockModel(tx, 'fish')
    await insertDecision(tx, decision, clock())
  })
  const claim = () => claimDecision(database, 'evaluate', clock(), new Date(clock().getTime() + 10_000))
  const mustClaim = async () => {
    const taken = await claim()
    return taken.kind === 'claimed' ? taken.held : expect.fail('nothing to claim')
  }
  return { clock, database, claim, mustClaim, deps: { clock, database, metrics: createMetrics('promoter'), publish: async () => undefined } }
}

test('a decision is worked on by one at a time', async () => {
  const { claim } = await withDecision()
  expect((await claim()).kind).toBe('claimed')
  expect(await claim()).toEqual({ kind: 'none', dueAt: new Date('2026-01-01T00:00:10Z') })
})

test('the work of a process that died is taken up, and what it would have saved is refused', async () => {
  const { clock, database, mustClaim, deps } = await withDecision()
  const dead = await mustClaim()
  clock.advance(10_001)
  const alive = await mustClaim()
  expect(await finishClaim(deps, dead, async (_tx, at) => supersede(at, 'by the dead'))).toBeNull()
  expect(await extendLease(database, dead, clock())).toBe(false)
  expect(await finishClaim(deps, alive, async (_tx, at) => supersede(at, 'by the living'))).toMatchObject({ state: 'superseded' })
  expect((await findDecision(database, 'd1'))?.decision.reason).toBe('by the living')
})

test('a lease that is extended is kept', async () => {
  const { clock, database, claim, mustClaim } = await withDecision()
  const held = await mustClaim()
  clock.advance(9_000)
  expect(await extendLease(database, held, new Date(clock().getTime() + 10_000))).toBe(true)
  clock.advance(9_000)
  expect((await claim()).kind).toBe('none')
})

test('what is put off is not taken before it is due', async () => {
  const { clock, database, claim, mustClaim } = await withDecision()
  await postpone(database, await mustClaim(), new Date(clock().getTime() + 500), 1, null)
  expect((await claim()).kind).toBe('none')
  clock.advance(501)
  expect(await mustClaim()).toMatchObject({ failures: 1 })
})
