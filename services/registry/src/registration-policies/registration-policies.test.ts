import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { exampleRun } from '../domain/example-run.ts'
import { verifyTrail } from '../testing/read-audit.ts'
import { type RunningRegistry, runningRegistry, servableFiles } from '../testing/running-registry.ts'

const path = '/api/v1/registration-policies'
const policy = { filter: "metrics.val_accuracy >= 0.9 AND tags.team = 'fish'", model: 'fish-{tag.species}' }

const put = (registry: RunningRegistry, name: string, body: Record<string, unknown>, role: 'editor' | 'user' = 'editor') =>
  registry.send('PUT', `${path}/${name}`, { body, role })

const version = async (registry: RunningRegistry, name: string, number = 1) => {
  const { body } = await registry.mlflow('GET', 'model-versions/get', { name, version: number })
  return body['model_version'] ?? null
}

const untilRegistered = (registry: RunningRegistry, name: string, number = 1) =>
  until(async () => {
    expect(await version(registry, name, number)).toMatchObject({ status: 'READY' })
    return true
  })

/** Resolves when everything before was handled: a run of its own model is registered. */
async function untilHandled(registry: RunningRegistry): Promise<void> {
  await registry.tracking.put('runs:/last/model', servableFiles())
  await registry.emit(run({ runId: 'last', artifactUri: 'mlflow-artifacts:/1/last/artifacts', tags: { 'millrace.register': 'last' } }))
  await untilRegistered(registry, 'last')
}

const run = (rest: Partial<RunFinished> = {}) => exampleRun({ runId: 'r1', artifactUri: 'mlflow-artifacts:/1/r1/artifacts', ...rest })

test('a run of a plain client is registered by a policy, with nothing done by hand', async () => {
  const registry = await runningRegistry()
  expect(await put(registry, 'good-fish', policy)).toMatchObject({
    status: 200,
    body: { name: 'good-fish', enabled: true, experimentIds: [], changedBy: 'ana' },
  })
  await registry.tracking.put('models:/m-1', servableFiles())
  await registry.emit(run({ outputs: [{ modelId: 'm-1', step: 0 }] }))
  await untilRegistered(registry, 'fish-trout')
  expect(await version(registry, 'fish-trout')).toMatchObject({
    ...{ source: 'models:/m-1', run_id: 'r1', model_id: 'm-1', description: expect.stringContaining('under policy good-fish') },
    tags: expect.arrayContaining([
      { key: 'registration_policy', value: 'good-fish' },
      { key: 'auto_registered', value: 'true' },
      { key: 'val_accuracy', value: '0.93' },
    ]),
  })
})

test('a run registers once per model and source, by its tag or by whichever policy comes first, and under several names at once', async () => {
  const registry = await runningRegistry()
  await put(registry, 'b', policy)
  await put(registry, 'a', policy)
  await put(registry, 'c', { ...policy, model: 'all-fish' })
  await registry.tracking.put('runs:/r1/model', servableFiles())
  await registry.emit(run())
  await registry.emit(run())
  await registry.emit(run({ tags: { team: 'fish', species: 'trout', 'millrace.register': 'fish-trout' } }))
  await untilHandled(registry)
  expect(await version(registry, 'fish-trout')).toMatchObject({ tags: expect.arrayContaining([{ key: 'registration_policy', value: 'a' }]) })
  expect(await version(registry, 'all-fish')).toMatchObject({ version: '1' })
  for (const name of ['fish-trout', 'all-fish']) expect(await version(registry, name, 2)).toBeNull()
})

test('what does not match, or a policy that is off or gone, registers nothing', async () => {
  const registry = await runningRegistry()
  await put(registry, 'off', { ...policy, enabled: false })
  await put(registry, 'elsewhere', { ...policy, experimentIds: ['7'] })
  await put(registry, 'gone', policy)
  expect(await registry.send('DELETE', `${path}/gone`, { role: 'editor' })).toMatchObject({ status: 204 })
  await registry.emit(run())
  await registry.emit(run({ metrics: { val_accuracy: 0.5 } }))
  await untilHandled(registry)
  expect(await version(registry, 'fish-trout')).toBeNull()
})

test('policies are made, replaced, listed and deleted, and each change is in the audit trail', async () => {
  const registry = await runningRegistry()
  await put(registry, 'b', policy)
  await put(registry, 'a', { ...policy, artifactPath: 'best', experimentIds: ['1'] })
  await put(registry, 'a', { model: 'fish' })
  const { body } = await registry.send('GET', path)
  expect(body['policies']).toMatchObject([{ name: 'a', model: 'fish', filter: '', artifactPath: null }, { name: 'b' }])
  expect((await registry.send('GET', `${path}/b`)).body).toMatchObject(policy)
  await registry.send('DELETE', `${path}/b`)
  expect(await registry.send('GET', `${path}/b`)).toMatchObject({ status: 404 })
  expect(await registry.send('DELETE', `${path}/b`)).toMatchObject({ status: 404 })
  const rows = await registry.database.query("select action, details from audit_entry where chain = '' order by seq")
  expect(rows.map((row) => row['action'])).toEqual([
    'create-registration-policy',
    'create-registration-policy',
    'update-registration-policy',
    'delete-registration-policy',
  ])
  expect((await verifyTrail(registry.database)).findings).toEqual([])
})

test.each([
  ['a filter that is none', { ...policy, filter: 'accuracy ~ 1' }, /Invalid attribute key|Invalid clause/],
  ['a filter that cannot be asked of a run', { ...policy, filter: "status = 'FINISHED'" }, /Invalid attribute key/],
  ['a metric compared with a text', { ...policy, filter: "metrics.a = 'x'" }, /numeric/],
  ['an unknown placeholder', { model: '{species}' }, /placeholder/],
  ['a path that climbs', { ...policy, artifactPath: '../x' }, /relative path/],
  ['an experiment that is no number', { ...policy, experimentIds: ['x'] }, /experiment id/],
  ['no model', { filter: '' }, /model/],
  ['a field that is not known', { ...policy, modell: 'x' }, /modell/],
])('%s is refused with what was expected', async (_what, body, message) => {
  const registry = await runningRegistry()
  const answer = await put(registry, 'p', body)
  expect(answer.status).toBe(400)
  expect(JSON.stringify(answer.body)).toMatch(message)
})

test('policies are for those who may write', async () => {
  const registry = await runningRegistry()
  expect(await put(registry, 'p', policy, 'user')).toMatchObject({ status: 403 })
  expect(await registry.send('PUT', `${path}/..%2f`, { body: policy })).toMatchObject({ status: 400 })
})
