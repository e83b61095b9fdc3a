import { modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { servingActivated } from '@millrace/contracts/events/serving-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { activated, enter, type Promoter, setPolicy } from './testing/enter-version.ts'
import type { Call } from './testing/fake-siblings.ts'
import { answered, runningPromoter } from './testing/running-promoter.ts'

const stepsOf = async (promoter: Promoter): Promise<string[]> => (await promoter.published()).map(({ name }) => name.replace(/^io\.millrace\.|\.v1$/g, ''))

test('a version that passes is promoted on the generation it was judged on, and promoted for good once a pod serves it', async () => {
  const promoter = await runningPromoter()
  await enter(promoter, '1', { metrics: { test_accuracy: 0.95 } })
  const promoting = await until(async () => (await promoter.decisions('1')).find((one) => one.promotedGeneration === 1))
  expect(promoting).toMatchObject({ generation: 0, championVersion: null, policyVersion: 0, decidedBy: 'promoter' })
  expect(promoting.gates.find((gate) => gate.gate === 'parity')).toMatchObject({ outcome: 'pass', measured: 0 })
  expect(promoting.gates.find((gate) => gate.gate === 'latency')?.measured).toBeGreaterThan(0)

  await promoter.emit(servingActivated, activated('1', 1))
  await promoter.decided('1', 'promoted')
  expect(promoter.registry.production).toBe('1')
  await until(async () => (await promoter.published()).length === 3)
  expect(await stepsOf(promoter)).toEqual(['modelversion.evaluated', 'rollout.stepped', 'rollout.stepped'])
})

test('the same registration twice makes one decision', async () => {
  const promoter = await runningPromoter()
  await enter(promoter, '1')
  await enter(promoter, '1')
  await promoter.decided('1', 'promoting')
  expect(await promoter.decisions('1')).toHaveLength(1)
})

test('a version that cannot be served is rejected without being judged', async () => {
  const promoter = await runningPromoter()
  await enter(promoter, '1', { servable: false })
  const decision = await promoter.decided('1', 'rejected')
  expect(decision).toMatchObject({ gates: [], reason: 'Cannot be served: no millrace-model.json' })
  await until(async () => (await stepsOf(promoter)).includes('promotion.rejected'))
})

test.each([
  ['whose ONNX answers otherwise than the trainer did', { parityAnswers: [2, 4.01] }, /differs from the stored answers/],
  ['without stored rows', { parityAnswers: null }, /no stored answers/],
  ['whose ONNX is damaged', { onnx: Buffer.from('this is no model') }, /./],
])('a model %s never passes', async (_, options, message) => {
  const promoter = await runningPromoter()
  await enter(promoter, '1', options)
  const decision = await promoter.decided('1', 'rejected')
  expect(decision.gates.find((gate) => gate.gate === 'parity')).toMatchObject({ outcome: 'fail', message: expect.stringMatching(message) })
  expect(promoter.registry.production).toBeNull()
})

test('a policy may ask for a metric; one that the run lacks fails and names those it has', async () => {
  const promoter = await runningPromoter()
  await setPolicy(promoter, { metrics: { f1: { min: 0.9 } } })
  await enter(promoter, '1', { metrics: { test_accuracy: 0.95 } })
  const decision = await promoter.decided('1', 'rejected')
  expect(decision).toMatchObject({ policyVersion: 1, reason: "metric:f1: the run has no metric 'f1'; it has test_accuracy" })
})

test('champion and challenger are compared on the challenger’s test rows; the trainer answers for the champion', async () => {
  let polls = 0
  const trainer = ({ method }: Call) => {
    const running = method === 'POST' || ++polls < 3
    return { evaluationId: 'e1', state: running ? 'running' : 'succeeded', message: '', evaluation: running ? null : answered(['b', 'b', 'a', 'a']) }
  }
  const promoter = await runningPromoter({ trainer })
  const champion = await promoter.register('1')
  promoter.registry.moveTo('1')
  await enter(promoter, '2', { evaluation: answered(['a', 'a', 'a', 'b']) })
  const decision = await promoter.decided('2', 'promoting')
  const gate = decision.gates.find((one) => one.gate === 'champion')
  expect(gate).toMatchObject({ outcome: 'pass', measured: 0.25, evidence: { bothRight: 1, onlyChallenger: 2, onlyChampion: 1, bothWrong: 0, rows: 4 } })
  const asked = promoter.trainer.calls.find(({ method }) => method === 'POST')
  expect(asked).toMatchObject({ body: { artifact: { sha256: champion.artifact.sha256 }, dataset: '/data/fish', datasetDigest: 'digest-1' } })
  expect(asked?.key).toBe(`${decision.decisionId}:${champion.artifact.sha256}:digest-1`)
})

test('answers that were stored for other data are not used: the trainer runs the challenger as well', async () => {
  const promoter = await runningPromoter()
  await promoter.register('1')
  promoter.registry.moveTo('1')
  await enter(promoter, '2', { evaluation: answered(['b', 'b', 'b', 'b'], 'another-digest') })
  await promoter.decided('2', 'promoting')
  expect(promoter.trainer.calls.filter(({ method }) => method === 'POST')).toHaveLength(2)
})

test.each([
  ['a run that names no data', { tags: {} }, undefined, /names no data set/],
  ['data that changed since', {}, { evaluationId: 'e', state: 'failed', message: 'the folder changed', evaluation: null }, /the folder changed/],
])('%s cannot be compared, and that fails the gate', async (_, options, answer, message) => {
  const promoter = await runningPromoter(answer ? { trainer: () => answer } : {})
  await promoter.register('1')
  promoter.registry.moveTo('1')
  await enter(promoter, '2', options)
  expect((await promoter.decided('2', 'rejected')).reason).toMatch(message)
})

test('with manual approval a person has the last word, once', async () => {
  const promoter = await runningPromoter()
  await setPolicy(promoter, { approval: 'manual' })
  await enter(promoter, '1')
  const { decisionId } = await promoter.decided('1', 'awaiting-approval')
  const path = `/api/v1/promotions/decisions/${decisionId}`
  expect((await promoter.call(`${path}/approve`, { method: 'POST', body: { reason: 'fine' }, role: 'editor' })).status).toBe(403)
  expect(await promoter.call(`${path}/approve`, { method: 'POST', body: { reason: 'fine' } })).toMatchObject({ status: 200, body: { decidedBy: 'ana' } })
  const again = await promoter.call(`${path}/approve`, { method: 'POST', body: { reason: 'fine' } })
  expect(again).toMatchObject({ status: 409, body: { detail: expect.stringContaining("only one that is 'awaiting-approval'") } })
  expect((await promoter.call(`${path}/reject`, { method: 'POST', body: { reason: 'no' } })).status).toBe(409)
  await until(() => promoter.registry.production === '1')
})

test('a newer version that passes makes an older one pointless that still waits', async () => {
  const promoter = await runningPromoter()
  await setPolicy(promoter, { approval: 'manual' })
  await enter(promoter, '1')
  await promoter.decided('1', 'awaiting-approval')
  await enter(promoter, '2', { parityAnswers: null })
  await promoter.decided('2', 'rejected')
  expect((await promoter.decisions('1'))[0]?.state).toBe('awaiting-approval')
  await enter(promoter, '3')
  expect((await promoter.decided('1', 'superseded')).reason).toBe('Version 3, which is newer, passed its gates')
})

test('a version that is deleted or already promoted by somebody is not decided on any more', async () => {
  const promoter = await runningPromoter()
  await setPolicy(promoter, { approval: 'manual' })
  await enter(promoter, '1')
  await promoter.decided('1', 'awaiting-approval')
  await promoter.emit(modelVersionDeleted, { model: 'fish', version: '1', deletedBy: 'ana' })
  expect((await promoter.decided('1', 'superseded')).reason).toBe('Deleted by ana')
  promoter.registry.moveTo('2')
  await enter(promoter, '2')
  expect((await promoter.decided('2', 'superseded')).reason).toContain('in Production already')
})

test('the standing of a version names the gates it has not passed', async () => {
  const promoter = await runningPromoter()
  const standing = '/api/v1/promotions/models/fish/versions/1/standing'
  expect((await promoter.call(standing)).body).toEqual({ policyVersion: 0, directPromotion: 'allowed', missingGates: ['champion', 'signature', 'parity'] })
  await enter(promoter, '1', { parityAnswers: null })
  await promoter.decided('1', 'rejected')
  expect((await promoter.call(standing)).body['missingGates']).toEqual(['parity'])
})
