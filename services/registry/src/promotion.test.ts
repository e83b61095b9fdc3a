import { TransientError } from '@millrace/platform/errors.ts'
import { expect, test } from 'vitest'
import { type RunningRegistry, registered, runningRegistry, signature, transition } from './testing/running-registry.ts'

const snapshot = async (registry: RunningRegistry, headers: Record<string, string> = {}) =>
  registry.send('GET', '/api/v1/serving-state', { headers, service: 'inference' })
const overview = async (registry: RunningRegistry) => (await registry.send('GET', '/api/v1/models/fish')).body
const audit = async (registry: RunningRegistry, query = '') => (await registry.send('GET', `/api/v1/models/fish/audit${query}`)).body['entries']
const rollout = (registry: RunningRegistry, candidates: object[], expectedGeneration: number, headers: Record<string, string> = {}) =>
  registry.send('PUT', '/api/v1/models/fish/rollout', { body: { candidates, expectedGeneration }, service: 'promoter', headers })
const events = async (registry: RunningRegistry, from = 0) => {
  await registry.settled()
  return (await registry.published()).filter((event) => event.type !== 'modelversion.registered.v1').slice(from)
}
const states = async (registry: RunningRegistry) => {
  await registry.settled()
  return (await registry.published('millrace.serving-state.v1')).map((event) => event.data)
}

test('a promotion moves both versions, tells the world and what pods serve, and leaves a trail, all at once', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await transition(registry, 1, 'Production', { service: 'promoter' }, { reason: 'gates passed', decision_id: 'd-1' })
  const answer = await transition(registry, 2, 'Production', { service: 'promoter' }, { reason: 'better', decision_id: 'd-2', expected_generation: 1 })
  expect(answer.body).toMatchObject({ model_version: { version: '2', current_stage: 'Production' }, generation: 2 })
  expect(await overview(registry)).toMatchObject({
    ...{ generation: 2, production: { version: '2', runId: 'fish-run-2' } },
    versions: [
      { version: '2', stage: 'Production' },
      { version: '1', stage: 'Archived' },
    ],
  })
  expect(await events(registry, 2)).toMatchObject([
    { type: 'modelversion.stagechanged.v1', data: { version: '1', from: 'Production', to: 'Archived', reason: 'better', changedBy: 'promoter' } },
    { type: 'modelversion.stagechanged.v1', data: { version: '2', from: 'None', to: 'Production' } },
    {
      type: 'model.promoted.v1',
      data: { version: '2', previousVersion: '1', generation: 2, decisionId: 'd-2', promotedBy: 'promoter', skippedGates: [], runId: 'fish-run-2' },
    },
  ])
  const published = await states(registry)
  expect(published).toMatchObject([
    { generation: 1, production: { version: '1' } },
    { generation: 2, salt: null, candidates: [], production: { version: '2', signature, runId: 'fish-run-2' } },
  ])
  expect((await snapshot(registry)).body).toEqual({ states: [published[1]] })
  expect(await audit(registry, '?version=2')).toMatchObject([
    {
      action: 'transition-stage',
      actor: 'promoter',
      from: 'None',
      to: 'Production',
      reason: 'better',
      requestId: expect.any(String),
      details: { decisionId: 'd-2', generation: 2 },
    },
    { action: 'register-version' },
    { action: 'create-version', actor: 'ana' },
  ])
})

test('a repeated key gets the stored answer, before the generation is looked at', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  const promote = () => transition(registry, 1, 'Production', { service: 'promoter', headers: { 'idempotency-key': 'k-1' } }, { expected_generation: 0 })
  const first = await promote()
  await transition(registry, 2, 'Production')
  expect((await promote()).body).toEqual(first.body)
  expect(await overview(registry)).toMatchObject({ generation: 2, production: { version: '2' } })
  const other = await transition(registry, 1, 'Production', { service: 'promoter', headers: { 'idempotency-key': 'k-2' } }, { expected_generation: 0 })
  expect(other).toMatchObject({ status: 409, body: { error_code: 'STALE_GENERATION', message: expect.stringContaining('is at generation 2') } })
})

test('an editor may move versions, but not to Production', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  expect((await transition(registry, 1, 'Staging', { role: 'editor' })).status).toBe(200)
  expect(await transition(registry, 1, 'Production', { role: 'editor' })).toMatchObject({
    status: 403,
    body: { error_code: 'PERMISSION_DENIED', message: expect.stringContaining("needs the role 'promoter'") },
  })
  expect((await transition(registry, 1, 'Archived', { role: 'user' })).status).toBe(403)
})

test('what serves is taken out of service by those who may promote alone', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await transition(registry, 1, 'Production')
  const attempts = [
    transition(registry, 1, 'Archived', { role: 'editor' }),
    registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '1' }, { role: 'editor' }),
    registry.mlflow('DELETE', 'registered-models/delete', { name: 'fish' }, { role: 'editor' }),
    registry.mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'trout' }, { role: 'editor' }),
  ]
  for (const answer of await Promise.all(attempts)) {
    expect(answer).toMatchObject({ status: 403, body: { message: expect.stringContaining("Version 1 of model 'fish' is in Production") } })
  }
  expect(await overview(registry)).toMatchObject({ generation: 1, production: { version: '1' } })
  expect((await transition(registry, 1, 'Archived', { role: 'promoter' })).status).toBe(200)
})

test("a person's own promotion is recorded with the gates it skipped", async () => {
  const registry = await runningRegistry()
  await registered(registry)
  registry.standing.missingGates = ['metric', 'parity']
  expect((await transition(registry, 1, 'Production', { role: 'promoter' })).status).toBe(200)
  const promoted = (await events(registry)).find((event) => event.type === 'model.promoted.v1')
  expect(promoted?.data).toMatchObject({ promotedBy: 'ana', skippedGates: ['metric', 'parity'], decisionId: expect.stringMatching(/^direct:/) })
  expect(await audit(registry)).toMatchObject([{ details: { skippedGates: ['metric', 'parity'] } }, {}, {}, {}])
})

test("a policy may forbid a person's own promotion, with the way out; the promoter itself is not asked about", async () => {
  const registry = await runningRegistry()
  await registered(registry)
  registry.standing.directPromotion = 'forbidden'
  expect(await transition(registry, 1, 'Production')).toMatchObject({
    status: 403,
    body: { error_code: 'PERMISSION_DENIED', message: expect.stringContaining('/api/v1/promotions/decisions') },
  })
  expect(await overview(registry)).toMatchObject({ generation: 0, production: null })
  expect((await transition(registry, 1, 'Production', { service: 'promoter' })).status).toBe(200)
})

test('while the promoter cannot be asked, a person promotes nothing new but still gets a stored answer', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  const keyed = (version: number) => transition(registry, version, 'Production', { headers: { 'idempotency-key': 'k' } })
  const first = await keyed(1)
  registry.standing.error = new TransientError('promoter is down')
  expect((await keyed(1)).body).toEqual(first.body)
  expect(await keyed(2)).toMatchObject({ status: 503, body: { error_code: 'TEMPORARILY_UNAVAILABLE' } })
  expect((await transition(registry, 2, 'Staging')).status).toBe(200)
})

test('a rollout sets candidates with one salt, a promotion ends it, and each change is one generation', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 3)
  await transition(registry, 1, 'Production')
  const canary = (weightPercent: number) => ({ version: '2', mode: 'canary', weightPercent })
  expect((await rollout(registry, [canary(1)], 1, { 'idempotency-key': 'step-1' })).body).toEqual({ generation: 2 })
  expect((await rollout(registry, [canary(1)], 1, { 'idempotency-key': 'step-1' })).body).toEqual({ generation: 2 })
  expect((await rollout(registry, [canary(25), { version: '3', mode: 'shadow', weightPercent: 100 }], 2)).body).toEqual({ generation: 3 })
  expect(await rollout(registry, [], 2)).toMatchObject({ status: 409, body: { code: 'STALE_GENERATION' } })
  await transition(registry, 2, 'Production')
  const published = await states(registry)
  expect(published.map((state) => state['generation'])).toEqual([1, 2, 3, 4])
  expect(published[1]?.['salt']).toEqual(expect.any(String))
  expect(published[2]).toMatchObject({
    salt: published[1]?.['salt'],
    candidates: [
      { version: '2', weightPercent: 25, runId: 'fish-run-2' },
      { version: '3', mode: 'shadow' },
    ],
  })
  expect(published[3]).toMatchObject({ salt: null, candidates: [], production: { version: '2' } })
})

test('a rollback promotes the earlier version again, and a second one goes further back', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 3)
  for (const version of [1, 2, 3]) await transition(registry, version, 'Production')
  const rollBack = (body: object = {}) => registry.send('POST', '/api/v1/models/fish/rollback', { body: { reason: 'errors', ...body }, role: 'promoter' })
  expect((await rollBack()).body).toEqual({ generation: 4, version: '2', previousVersion: '3' })
  expect((await rollBack({ expectedGeneration: 4 })).body).toEqual({ generation: 5, version: '1', previousVersion: '2' })
  expect(await rollBack()).toMatchObject({ status: 400, body: { detail: expect.stringContaining('no Production version before 1') } })
  expect(await rollBack({ version: '2', expectedGeneration: 3 })).toMatchObject({ status: 409 })
  expect((await rollBack({ version: '3' })).body).toMatchObject({ version: '3', generation: 6 })
  const kinds = (await events(registry)).filter((event) => event.type.startsWith('model.')).map((event) => event.type)
  expect(kinds).toEqual(['model.promoted.v1', 'model.promoted.v1', 'model.promoted.v1', 'model.rolledback.v1', 'model.rolledback.v1', 'model.promoted.v1'])
})

test('a rollback passes over versions that were deleted', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 3)
  for (const version of [1, 2, 3]) await transition(registry, version, 'Production')
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '2' })
  expect((await registry.send('POST', '/api/v1/models/fish/rollback', { body: { reason: 'errors' } })).body).toMatchObject({ version: '1' })
})

test('deleting what is served leaves nothing to serve, as a new generation', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  await transition(registry, 1, 'Production')
  await rollout(registry, [{ version: '2', mode: 'canary', weightPercent: 5 }], 1)
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '2' })
  await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '1' })
  expect((await states(registry)).slice(2)).toMatchObject([
    { generation: 3, production: { version: '1' }, candidates: [], salt: null },
    { generation: 4, production: null, candidates: [] },
  ])
  expect((await events(registry)).filter((event) => event.type === 'modelversion.deleted.v1').map((event) => event.data)).toMatchObject([
    { version: '2' },
    { version: '1', deletedBy: 'ana' },
  ])
})

test('the generation outlives renaming and deletion: every name ever served keeps fencing', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  await transition(registry, 1, 'Production')
  await registry.mlflow('POST', 'registered-models/rename', { name: 'fish', new_name: 'perch' })
  expect((await snapshot(registry)).body).toMatchObject({
    states: [
      { model: 'fish', generation: 2, production: null },
      { model: 'perch', generation: 1, production: { version: '1' } },
    ],
  })
  await registered(registry)
  await transition(registry, 2, 'Production')
  await registry.mlflow('DELETE', 'registered-models/delete', { name: 'fish' })
  expect((await snapshot(registry)).body).toMatchObject({
    states: [
      { model: 'fish', generation: 4, production: null },
      { model: 'perch', generation: 1 },
    ],
  })
  const renamed = (await registry.send('GET', '/api/v1/models/perch/audit')).body['entries']
  expect(renamed).toMatchObject([
    { action: 'rename-model', from: 'fish', to: 'perch' },
    { action: 'transition-stage', model: 'fish' },
    {},
    {},
    { action: 'create-model' },
  ])
  expect(await audit(registry, '?limit=1')).toMatchObject([{ action: 'delete-model' }])
})

test('the snapshot is tagged: an unchanged world answers 304, a changed one anew', async () => {
  const registry = await runningRegistry()
  await registered(registry)
  const first = await snapshot(registry)
  expect(first.body).toEqual({ states: [] })
  const etag = first.headers.get('etag') ?? ''
  expect(await snapshot(registry, { 'if-none-match': `"other", W/${etag}` })).toMatchObject({ status: 304, body: {} })
  await transition(registry, 1, 'Production')
  const changed = await snapshot(registry, { 'if-none-match': etag })
  expect(changed).toMatchObject({ status: 200, body: { states: [{ model: 'fish', generation: 1 }] } })
  expect((await snapshot(registry, { 'if-none-match': changed.headers.get('etag') ?? '' })).status).toBe(304)
})

test('the audit trail is append-only and paged', async () => {
  const registry = await runningRegistry()
  await registered(registry, 'fish', 2)
  for (const text of ['update audit_entry set actor = $1', 'delete from audit_entry where actor <> $1']) {
    await expect(registry.database.query(text, ['mallory'])).rejects.toThrow('append-only')
  }
  await expect(registry.database.query('truncate audit_entry')).rejects.toThrow('append-only')
  const page = (await registry.send('GET', '/api/v1/models/fish/audit?limit=3')).body
  expect(page).toMatchObject({ entries: [{ version: '2' }, { version: '2' }, { version: '1' }], nextBefore: expect.any(Number) })
  const rest = (await registry.send('GET', `/api/v1/models/fish/audit?limit=3&before=${page['nextBefore']}`)).body
  expect(rest).toMatchObject({ entries: [{ action: 'create-version', version: '1' }, { action: 'create-model' }], nextBefore: null })
})
