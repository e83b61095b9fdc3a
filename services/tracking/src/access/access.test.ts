import type { Grant, Level } from '@millrace/platform/access/rights.ts'
import { encodeRights } from '@millrace/platform/access/rights-claim.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { expect, onTestFinished, test } from 'vitest'
import { type Call, createCaller } from '../testing/call.ts'
import { startTracking } from '../testing/start-tracking.ts'

interface Person {
  readonly fallback?: Level
  readonly grants?: readonly Partial<Grant>[]
  readonly role?: 'viewer' | 'editor'
}

async function start() {
  const ring = createKeyRing(['tracking', 'gateway', 'registry'])
  const started = await startTracking({}, undefined, undefined, ring)
  onTestFinished(started.stop)
  const as = (user: string, { fallback = 'NO_PERMISSIONS', grants = [], role = 'editor' }: Person = {}): Call => {
    const full = grants.map((grant): Grant => ({ kind: 'experiment', by: 'name', value: '', level: 'READ', promote: false, personal: true, ...grant }))
    const rightsClaim = encodeRights({ fallback, grants: full }) ?? ''
    return createCaller(started.value.url, () => ring.identityOf('gateway').sign('tracking', { user, role, rightsClaim }))
  }
  return { ...started.value, as }
}

const createExperiment = async (call: Call, name: string): Promise<string> =>
  (await call('POST', 'experiments/create', { body: { name } })).text('experiment_id')
const createRun = async (call: Call, experimentId: string, tags: object[] = []): Promise<string> =>
  (await call('POST', 'runs/create', { body: { experiment_id: experimentId, tags } })).text('run', 'info', 'run_id')

test('the creator of an experiment manages it, and nobody else sees it', async () => {
  const { as } = await start()
  const [ana, ben] = [as('ana'), as('ben')]
  const id = await createExperiment(ana, 'secret')
  const runId = await createRun(ana, id)
  expect((await ben('GET', `experiments/get?experiment_id=${id}`)).json).toMatchObject({ error_code: 'PERMISSION_DENIED' })
  expect((await ben('GET', `experiments/get?experiment_id=${id}`)).text('message')).not.toContain('secret')
  const asked: [string, string, object?][] = [
    ['GET', 'experiments/get-by-name?experiment_name=secret'],
    ['GET', `runs/get?run_id=${runId}`],
    ['GET', `/ajax-api/2.0/mlflow/runs/get?run_id=${runId}`],
    ['POST', 'runs/create', { experiment_id: id }],
    ['POST', 'runs/log-metric', { run_id: runId, key: 'a', value: 1, timestamp: 1 }],
    ['POST', 'runs/log-metric', { run_uuid: runId, key: 'a', value: 1, timestamp: 1 }],
    ['GET', `metrics/get-history?run_id=${runId}&metric_key=a`],
    ['GET', `metrics/get-history-bulk?run_id=${runId}&metric_key=a`],
    ['GET', `artifacts/list?run_id=${runId}`],
    ['GET', `/get-artifact?run_id=${runId}&path=x`],
    ['POST', 'experiments/search-datasets', { experiment_ids: [id] }],
    ['POST', 'logged-models', { experiment_id: id, name: 'm' }],
  ]
  for (const [method, path, body] of asked) expect([path, (await ben(method, path, { body })).status]).toEqual([path, 403])
  expect((await ana('POST', 'experiments/delete', { body: { experiment_id: id } })).status).toBe(200)
})

test('READ reads, EDIT changes, MANAGE deletes, each as MLflow has it', async () => {
  const { as } = await start()
  const ana = as('ana')
  const id = await createExperiment(ana, 'shared')
  const runId = await createRun(ana, id)
  const holding = (level: Level) => as('ben', { grants: [{ by: 'id', value: id, level }] })
  const statuses = async (call: Call) => [
    (await call('GET', `runs/get?run_id=${runId}`)).status,
    (await call('POST', 'runs/set-tag', { body: { run_id: runId, key: 'a', value: 'b' } })).status,
    (await call('POST', 'runs/delete', { body: { run_id: runId } })).status,
  ]
  expect(await statuses(holding('NO_PERMISSIONS'))).toEqual([403, 403, 403])
  expect(await statuses(holding('READ'))).toEqual([200, 403, 403])
  expect(await statuses(holding('EDIT'))).toEqual([200, 200, 403])
  expect(await statuses(holding('MANAGE'))).toEqual([200, 200, 200])
})

test('search shows what the caller may read, in full pages', async () => {
  const { as } = await start()
  const ana = as('ana')
  for (let at = 0; at < 12; at += 1) await createExperiment(ana, at % 2 === 0 ? `team/${at}` : `other/${at}`)
  const ben = as('ben', { grants: [{ by: 'pattern', value: 'team/*', personal: false }] })
  const names: string[] = []
  let token = ''
  do {
    const page = await ben('POST', 'experiments/search', { body: { max_results: 2, page_token: token, order_by: ['name'] } })
    names.push(page.text('experiments', 0, 'name'), page.text('experiments', 1, 'name'))
    token = page.text('next_page_token')
  } while (token !== '')
  expect(names).toEqual(['team/0', 'team/10', 'team/2', 'team/4', 'team/6', 'team/8'])
  const found = await ben('POST', 'runs/search', { body: { experiment_ids: ['0'], max_results: 5 } })
  expect([found.status, found.json]).toEqual([200, {}])
})

test('CVE-2026-2651: every way to a file asks for the right on its experiment, multipart and browser routes too', async () => {
  const { as } = await start()
  const [ana, ben] = [as('ana'), as('ben')]
  const id = await createExperiment(ana, 'secret')
  const runId = await createRun(ana, id)
  const file = `${id}/${runId}/artifacts/model/weights`
  for (const prefix of ['/api/2.0/mlflow-artifacts', '/ajax-api/2.0/mlflow-artifacts']) {
    expect((await ana('PUT', `${prefix}/artifacts/${file}`, { raw: Buffer.from('w') })).status).toBe(200)
    expect((await ben('GET', `${prefix}/artifacts/${file}`)).status).toBe(403)
    expect((await ben('PUT', `${prefix}/artifacts/${file}`, { raw: Buffer.from('x') })).status).toBe(403)
    expect((await ben('DELETE', `${prefix}/artifacts/${file}`)).status).toBe(403)
    expect((await ben('GET', `${prefix}/artifacts?path=${encodeURIComponent(`${id}/${runId}`)}`)).status).toBe(403)
    expect((await ben('GET', `${prefix}/artifacts`)).status).toBe(403)
    const upload = { path: 'weights', upload_id: 'u', parts: [{ part_number: 1, etag: 'e' }] }
    for (const step of ['create', 'complete', 'abort']) expect((await ben('POST', `${prefix}/mpu/${step}/${file}`, { body: upload })).status).toBe(403)
    expect((await ben('GET', `${prefix}/presigned/${file}`)).status).toBe(403)
    expect((await ana('GET', `${prefix}/artifacts/${file}`)).status).toBe(200)
  }
  const modelId = (await ana('POST', 'logged-models', { body: { experiment_id: id } })).text('model', 'info', 'model_id')
  for (const owner of [{ run_id: runId }, { model_id: modelId }]) {
    expect((await ben('POST', 'artifacts/presigned-upload-url', { body: { ...owner, path: 'x' } })).status).toBe(403)
    expect((await ana('POST', 'artifacts/presigned-upload-url', { body: { ...owner, path: 'x' } })).status).toBe(200)
  }
  expect((await ben('POST', 'artifacts/presigned-download-url', { body: { run_id: runId, path: 'x' } })).status).toBe(403)
  for (const path of [`runs/compare?run_ids=${runId}`, `runs/${runId}/reproduction`, `experiments/${id}/best?metric=m`]) {
    expect([path, (await ben('GET', `/api/v1/${path}`)).status]).toEqual([path, 403])
    expect([path, (await ana('GET', `/api/v1/${path}`)).status]).toEqual([path, 200])
  }
})

test("an experiment whose folder lies in another's opens nothing of that", async () => {
  const { as } = await start()
  const [ana, eve] = [as('ana'), as('eve')]
  const id = await createExperiment(ana, 'secret')
  const runId = await createRun(ana, id)
  const folder = `${id}/${runId}/artifacts`
  await ana('PUT', `/api/2.0/mlflow-artifacts/artifacts/${folder}/weights`, { raw: Buffer.from('w') })
  await eve('POST', 'experiments/create', { body: { name: 'mine', artifact_location: `mlflow-artifacts:/${folder}` } })
  expect((await eve('GET', `/api/2.0/mlflow-artifacts/artifacts/${folder}/weights`)).status).toBe(403)
})

test('a tag that registers a version asks for EDIT on that model', async () => {
  const { as } = await start()
  const tags = [{ key: 'millrace.register', value: 'fish' }]
  const ana = as('ana')
  const id = await createExperiment(ana, 'mine')
  const runId = await createRun(ana, id)
  expect((await ana('POST', 'runs/create', { body: { experiment_id: id, tags } })).status).toBe(403)
  expect((await ana('POST', 'runs/set-tag', { body: { run_id: runId, ...tags[0] } })).status).toBe(403)
  expect((await ana('POST', 'runs/log-batch', { body: { run_id: runId, tags } })).status).toBe(403)
  const allowed = as('ana', { grants: [{ kind: 'model', value: 'fish', level: 'EDIT' }] })
  expect((await allowed('POST', 'runs/set-tag', { body: { run_id: runId, ...tags[0] } })).status).toBe(200)
})

test('what does not exist is told as missing, and a request that names nothing is not let through', async () => {
  const { as } = await start()
  const ana = as('ana')
  expect((await ana('GET', 'runs/get?run_id=nothing')).json).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' })
  expect((await ana('POST', 'runs/log-metric', { body: { key: 'a', value: 1, timestamp: 1 } })).status).toBe(400)
})

test('a viewer with a grant on one experiment changes that one', async () => {
  const { as } = await start()
  const id = await createExperiment(as('ana'), 'shared')
  const ben = as('ben', { role: 'viewer', fallback: 'READ', grants: [{ value: 'shared', level: 'EDIT' }] })
  expect((await ben('POST', 'runs/create', { body: { experiment_id: id } })).status).toBe(200)
  expect((await ben('POST', 'runs/create', { body: {} })).status).toBe(403)
  expect((await ben('POST', 'experiments/create', { body: { name: 'new' } })).status).toBe(403)
})
