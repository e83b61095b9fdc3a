import { modelPromoted } from '@millrace/contracts/events/model-events.ts'
import { servingActivated, servingLoadFailed } from '@millrace/contracts/events/serving-events.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { activated, enter, loadFailed } from './testing/enter-version.ts'
import { runningPromoter } from './testing/running-promoter.ts'

test('a model that moves on during the decision is judged anew on what is there then', async () => {
  const promoter = await runningPromoter()
  promoter.registry.beforeTransition = () => {
    promoter.registry.generation += 1
  }
  await enter(promoter, '1')
  await until(() => promoter.registry.production === '1')
  expect(await promoter.decided('1', 'promoting')).toMatchObject({ generation: 1, round: 1 })
})

test('a lost reply is asked for again under the same key: one promotion, not two', async () => {
  const promoter = await runningPromoter()
  promoter.registry.afterTransition = () => {
    throw new TransientError('connection reset')
  }
  await enter(promoter, '1')
  await until(async () => (await promoter.decisions('1'))[0]?.promotedGeneration === 1)
  const asked = promoter.registry.client.calls.filter(({ path }) => path.endsWith('/transition-stage'))
  expect(new Set(asked.map(({ key }) => key)).size).toBe(1)
  expect(asked.length).toBeGreaterThan(1)
  expect(promoter.registry.generation).toBe(1)
})

test('a promotion that the registry refuses is rejected with its words', async () => {
  const promoter = await runningPromoter()
  promoter.registry.refuseTransition = new AppError('INVALID_PARAMETER_VALUE', 'no such stage')
  await enter(promoter, '1')
  expect(await promoter.decided('1', 'rejected')).toMatchObject({ reason: 'The registry refused: no such stage', decidedBy: 'registry' })
})

test('a pod that can never load the version brings back the one before; a passing fault does not', async () => {
  const promoter = await runningPromoter()
  await promoter.register('1')
  promoter.registry.moveTo('1')
  await enter(promoter, '2')
  await until(async () => (await promoter.decisions('2'))[0]?.promotedGeneration === 2)
  await promoter.emit(servingLoadFailed, loadFailed('2', 2, 'transient'))
  await promoter.emit(servingLoadFailed, loadFailed('2', 2))
  const decision = await promoter.decided('2', 'failed')
  expect(decision.reason).toBe('A pod cannot load it: open: bad graph. Version 1 is in Production again')
  expect(promoter.registry).toMatchObject({ production: '1', generation: 3 })
})

test('a first version that no pod can load has nothing to go back to, and says so', async () => {
  const promoter = await runningPromoter()
  await promoter.emit(servingLoadFailed, loadFailed('1', 1))
  await enter(promoter, '1')
  expect((await promoter.decided('1', 'failed')).reason).toContain('no earlier version')
})

test('a report of a pod that was faster than the registry’s answer counts', async () => {
  const promoter = await runningPromoter()
  await promoter.emit(servingActivated, activated('1', 1))
  await enter(promoter, '1')
  await promoter.decided('1', 'promoted')
})

test('somebody else’s promotion ends the roll-out in progress', async () => {
  const promoter = await runningPromoter()
  await enter(promoter, '1')
  await until(async () => (await promoter.decisions('1'))[0]?.promotedGeneration === 1)
  const { artifact } = await promoter.register('9')
  const promotion = { model: 'fish', version: '9', previousVersion: '1', generation: 2, artifact, runId: null, decisionId: 'x', reason: 'r', promotedBy: 'bob' }
  await promoter.emit(modelPromoted, { ...promotion, skippedGates: [] })
  expect((await promoter.decided('1', 'superseded')).reason).toBe('Version 9 went to Production (bob)')
})
