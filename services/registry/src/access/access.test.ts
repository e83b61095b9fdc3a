import type { Grant, Level } from '@millrace/platform/access/rights.ts'
import { encodeRights } from '@millrace/platform/access/rights-claim.ts'
import { expect, test } from 'vitest'
import { runningRegistry, servableFiles } from '../testing/running-registry.ts'

const claimOf = (grants: readonly Partial<Grant>[], fallback: Level = 'NO_PERMISSIONS') =>
  encodeRights({
    fallback,
    grants: grants.map((grant) => ({ kind: 'model', by: 'name', value: '', level: 'READ', promote: false, personal: true, ...grant })),
  }) ?? ''

const nobody = { user: 'ben', role: 'editor', rightsClaim: claimOf([]) } as const

test('the creator of a model manages it; to others it is hidden in every route that names it', async () => {
  const registry = await runningRegistry()
  const as = { user: 'ana', role: 'editor', rightsClaim: claimOf([]) } as const
  expect(await registry.mlflow('POST', 'registered-models/create', { name: 'fish' }, { as })).toMatchObject({ status: 200 })
  expect(await registry.mlflow('PATCH', 'registered-models/update', { name: 'fish', description: 'd' }, { as })).toMatchObject({ status: 200 })
  const asked = [
    ['GET', '/api/2.0/mlflow/registered-models/get?name=fish'],
    ['GET', '/ajax-api/2.0/mlflow/registered-models/get?name=fish'],
    ['GET', '/api/2.0/mlflow/model-versions/get?name=fish&version=1'],
    ['GET', '/model-versions/get-artifact?name=fish&version=1&path=a'],
    ['GET', '/api/v1/models/fish'],
    ['GET', '/api/v1/models/fish/versions/1/lineage'],
    ['GET', '/api/v1/models/fish/audit'],
    ['POST', '/api/v1/models/fish/rollback'],
  ] as const
  for (const [method, path] of asked) {
    const answer = await registry.send(method, path, { as: nobody, ...(method === 'POST' ? { body: { reason: 'r' } } : {}) })
    expect([path, answer.status]).toEqual([path, 403])
    expect(JSON.stringify(answer.body)).not.toContain("'fish'")
  }
  expect((await registry.mlflow('DELETE', 'registered-models/delete', { name: 'fish' }, { as })).status).toBe(200)
})

test('searches and lists show what the caller may read, in full pages', async () => {
  const registry = await runningRegistry()
  for (let at = 0; at < 8; at += 1) await registry.mlflow('POST', 'registered-models/create', { name: at % 2 ? `b-${at}` : `a-${at}` })
  const as = { user: 'ben', role: 'viewer', rightsClaim: claimOf([{ by: 'pattern', value: 'a-*', personal: false }]) } as const
  const first = await registry.mlflow('GET', 'registered-models/search', { max_results: 3 }, { as })
  expect(first.body).toMatchObject({ registered_models: [{ name: 'a-0' }, { name: 'a-2' }, { name: 'a-4' }] })
  const rest = await registry.mlflow('GET', 'registered-models/search', { max_results: 3, page_token: String(first.body['next_page_token']) }, { as })
  expect(rest.body).toEqual({ registered_models: [expect.objectContaining({ name: 'a-6' })] })
  expect((await registry.send('GET', '/api/v1/models', { as })).body).toMatchObject({ models: [{ model: 'a-0' }, {}, {}, { model: 'a-6' }] })
  expect((await registry.send('GET', '/api/v1/models', { as: nobody })).body).toEqual({ models: [] })
})

test('to promote takes the right to promote that model, whatever the level', async () => {
  const registry = await runningRegistry()
  await registry.mlflow('POST', 'registered-models/create', { name: 'fish' })
  await registry.tracking.put('runs:/r1/model', servableFiles())
  await registry.mlflow('POST', 'model-versions/create', { name: 'fish', source: 'runs:/r1/model' })
  const promote = { name: 'fish', version: '1', stage: 'Production' }
  const holding = (...grants: Partial<Grant>[]) => ({ as: { user: 'ben', role: 'viewer', rightsClaim: claimOf(grants) } as const })
  const manager = holding({ value: 'fish', level: 'MANAGE' })
  expect(await registry.mlflow('POST', 'model-versions/transition-stage', promote, manager)).toMatchObject({ status: 403 })
  const promoter = holding({ value: 'fish', level: 'EDIT' }, { by: 'pattern', value: 'fish*', level: 'INHERIT', promote: true, personal: false })
  expect(await registry.mlflow('POST', 'model-versions/transition-stage', promote, promoter)).toMatchObject({ status: 200 })
  expect(await registry.mlflow('DELETE', 'model-versions/delete', { name: 'fish', version: '1' }, manager)).toMatchObject({ status: 403 })
  expect((await registry.send('POST', '/api/v1/models/fish/rollback', { body: { reason: 'r' }, ...manager })).status).toBe(403)
})

test('nobody makes a version of files that they may not read', async () => {
  const registry = await runningRegistry()
  registry.tracking.sources.set('runs:/r1/model', [{ id: '7', name: 'secret', owner: 'ana' }])
  await registry.tracking.put('runs:/r1/model', servableFiles())
  await registry.mlflow('POST', 'registered-models/create', { name: 'mine' })
  const fields = { name: 'mine', source: 'runs:/r1/model' }
  const thief = { as: { user: 'ben', role: 'viewer', rightsClaim: claimOf([{ value: 'mine', level: 'EDIT' }]) } as const }
  expect(await registry.mlflow('POST', 'model-versions/create', fields, thief)).toMatchObject({ status: 403 })
  const reader = [
    { value: 'mine', level: 'EDIT' as const },
    { kind: 'experiment' as const, by: 'id' as const, value: '7' },
  ]
  expect(await registry.mlflow('POST', 'model-versions/create', fields, { as: { ...thief.as, rightsClaim: claimOf(reader) } })).toMatchObject({ status: 200 })
})
