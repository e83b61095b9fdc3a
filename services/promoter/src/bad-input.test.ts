import { expect, test } from 'vitest'
import { runningPromoter } from './testing/running-promoter.ts'

const POLICY = '/api/v1/promotions/policies/fish'

test('what a policy may not be is refused with the reason, and the policy stays as it was', async () => {
  const promoter = await runningPromoter()
  const { policy } = await promoter.policy()
  const put = (changes: Record<string, unknown>) => promoter.call(POLICY, { method: 'PUT', body: { ...policy, ...changes } })
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ metrics: { 'f1\u0000': { min: 0 } } }, /no run can have a metric of this name/],
    [{ metrics: { accuracy: {} } }, /give "min", "max" or both/],
    [{ metrics: { accuracy: { min: 1, max: 0 } } }, /no value can pass/],
    [{ metrics: { accuracy: { minimum: 1 } } }, /minimum/],
    [{ champion: { metric: 'f1', epsilon: 0 } }, /champion/],
    [{ champion: { metric: 'accuracy', epsilon: -1 } }, /epsilon/],
    [{ parityTolerance: 0 }, /parityTolerance/],
    [{ approval: 'maybe' }, /approval/],
    [{ surprise: true }, /surprise/],
    [{ maxSizeBytes: 'large' }, /maxSizeBytes/],
  ]
  for (const [changes, message] of refused) {
    const answer = await put(changes)
    expect(answer.status).toBe(400)
    expect(`${answer.body['detail']} ${JSON.stringify(answer.body['errors'])}`).toMatch(message)
  }
  expect((await promoter.call(POLICY)).body).toMatchObject({ policyVersion: 0, policy, changedBy: 'default', changedAt: null })
})

test('a metric that the newest run does not have is refused with those it has; before there is a run every name is taken', async () => {
  const promoter = await runningPromoter()
  const { policy } = await promoter.policy()
  const body = { ...policy, metrics: { acuracy: { min: 0.5 } } }
  expect((await promoter.call(POLICY, { method: 'PUT', body })).status).toBe(200)
  await promoter.register('2', { metrics: { test_accuracy: 0.9, loss: 1 } })
  const refused = await promoter.call(POLICY, { method: 'PUT', body: { ...body, approval: 'manual' } })
  expect(refused).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('metrics["acuracy"]: the run of version 2 has no metric of this name') },
  })
  expect(refused.body['detail']).toContain('it has loss, test_accuracy')
  const known = { ...policy, metrics: { test_accuracy: { min: 0.5 } } }
  expect((await promoter.call(POLICY, { method: 'PUT', body: known })).body).toMatchObject({ policyVersion: 2 })
})

test('each change of a policy is a version of its own; the same policy again is not', async () => {
  const promoter = await runningPromoter()
  const { policy } = await promoter.policy()
  const body = { ...policy, metrics: { test_accuracy: { min: 0.9 } } }
  expect((await promoter.call(POLICY, { method: 'PUT', body })).body).toMatchObject({ policyVersion: 1, changedBy: 'ana' })
  expect((await promoter.call(POLICY, { method: 'PUT', body })).body['policyVersion']).toBe(1)
  expect((await promoter.call(POLICY, { method: 'PUT', body: policy })).body['policyVersion']).toBe(2)
})

test.each([
  ['GET', '/api/v1/promotions/decisions/nothing', undefined, 404],
  ['POST', '/api/v1/promotions/decisions/nothing/approve', { reason: 'x' }, 404],
  ['POST', '/api/v1/promotions/decisions/nothing/approve', {}, 400],
  ['POST', '/api/v1/promotions/decisions/nothing/reject', { reason: '' }, 400],
  ['GET', '/api/v1/promotions/decisions?version=one', undefined, 400],
  ['GET', '/api/v1/promotions/decisions?state=odd', undefined, 400],
  ['GET', '/api/v1/promotions/decisions?limit=0', undefined, 400],
  ['GET', '/api/v1/promotions/decisions?colour=red', undefined, 400],
  ['GET', '/api/v1/promotions/models/fish/versions/0/standing', undefined, 400],
  ['GET', '/api/v1/promotions/policies/a%2Fb', undefined, 400],
])('%s %s is refused', async (method, path, body, status) => {
  const promoter = await runningPromoter()
  const answer = await promoter.call(path, { method, body })
  expect(answer.status).toBe(status)
  expect(answer.body['detail']).toBeTypeOf('string')
})

test('who may only read cannot set a policy', async () => {
  const promoter = await runningPromoter()
  const { policy } = await promoter.policy()
  expect((await promoter.call(POLICY, { method: 'PUT', body: policy, role: 'editor' })).status).toBe(403)
})
