import { driftPolicyResponse, labelsResponse } from '@millrace/contracts/http/drift.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, test } from 'vitest'
import { MODEL, policy, profile, specNaming, startDriftMonitor } from './testing/start-drift-monitor.ts'

const usual = { classOf: (index: number) => (index % 2 === 0 ? 'pike' : 'perch') }
const shifted = { classOf: () => 'pike' }
const files = { 'millrace-model.json': specNaming('reference.json'), 'reference.json': profile() }

type Started = Awaited<ReturnType<typeof startDriftMonitor>>

/** A model in production with its reference read and short windows. */
async function watching() {
  const monitor = await startDriftMonitor()
  await monitor.setPolicy()
  await monitor.promote('1', 1, files)
  await until(async () => (await monitor.status()).version === '1')
  return monitor
}

const verdicts = async (monitor: Started): Promise<string[]> => (await monitor.status()).windows.map((window) => window.verdict)
const eventTypes = async (monitor: Started): Promise<string[]> => (await monitor.published()).map((event) => event.type.split('.').slice(2, 4).join('.'))

test('shifted traffic raises one alert after three bad windows, and good windows resolve it', async () => {
  const monitor = await watching()
  await monitor.predict(0, 200, usual)
  for (const second of [1, 2, 3, 4]) await monitor.predict(second, 200, shifted)
  await until(async () => (await verdicts(monitor)).join() === 'drift,drift,drift,drift,ok')
  const [detected] = await until(async () => ((await monitor.published()).length > 0 ? monitor.published() : null))
  const status = await monitor.status()
  expect(status).toMatchObject({ state: 'drifting', version: '1' })
  expect(detected).toMatchObject({
    subject: MODEL,
    data: {
      alertId: status.alertId,
      model: MODEL,
      version: '1',
      rows: 200,
      referenceRows: 1000,
      severity: 'critical',
      driftedShare: 1,
      windowStart: '2026-01-05T12:00:03.000Z',
    },
  })
  for (const second of [5, 6]) await monitor.predict(second, 200, usual)
  await until(async () => (await monitor.status()).state === 'ok')
  await until(async () => (await monitor.published()).length === 2)
  expect(await eventTypes(monitor)).toEqual(['drift.detected', 'drift.resolved'])
})

test('a version with a reference of its own resolves the alert, and its traffic is measured against that', async () => {
  const monitor = await watching()
  for (const second of [0, 1, 2]) await monitor.predict(second, 200, shifted)
  await until(async () => (await monitor.status()).alertId)
  await monitor.promote('2', 2, { ...files, 'reference.json': profile(['pike']) })
  await until(async () => (await monitor.status()).alertId === null && (await monitor.published()).length === 2)
  expect((await monitor.published())[1]?.data).toMatchObject({ reason: 'version 2 took over, with a reference of its own' })
  for (const second of [10, 11, 12]) await monitor.predict(second, 200, { ...shifted, version: '2', generation: 2 })
  await until(async () => (await monitor.status()).windows.filter((window) => window.version === '2' && window.verdict === 'ok').length === 3)
  expect(await monitor.status()).toMatchObject({ state: 'ok', version: '2' })
  expect(await eventTypes(monitor)).toEqual(['drift.detected', 'drift.resolved'])
})

test('a window grows until it has enough rows, and says so meanwhile', async () => {
  const monitor = await watching()
  await monitor.predict(0, 60, usual)
  await until(async () => (await monitor.status()).windows[0]?.rows === 60)
  expect((await monitor.status()).windows).toMatchObject([{ verdict: 'insufficient_data', rows: 60 }])
  expect((await monitor.status()).state).toBe('unknown')
  await monitor.predict(3, 60, usual)
  await until(async () => (await verdicts(monitor))[0] === 'ok')
  expect((await monitor.status()).windows).toMatchObject([{ rows: 120, windowStart: '2026-01-05T12:00:00.000Z', windowEnd: '2026-01-05T12:00:04.000Z' }])
})

test('predictions of a version wait for the news of it; those of one that left are not counted, nor are other arms', async () => {
  const monitor = await watching()
  await monitor.predict(0, 150, { ...usual, version: '2', generation: 2 })
  await monitor.predict(0, 150, { ...shifted, arm: 'canary' })
  await monitor.promote('2', 2, files)
  await until(async () => (await verdicts(monitor))[0] === 'ok')
  await monitor.predict(5, 150, { ...shifted, version: '1', generation: 1 })
  await monitor.predict(5, 150, { ...shifted, version: '3', generation: 2 })
  await until(async () => (await monitor.database.query('select 1 from uncounted')).length === 0)
  expect((await monitor.status()).windows).toMatchObject([{ version: '2', rows: 150, verdict: 'ok' }])
})

test.each([
  ['no millrace-model.json', { 'model.onnx': 'bytes' }],
  ['no profile named', { 'millrace-model.json': specNaming(null) }],
  ['a profile that is not there', { 'millrace-model.json': specNaming('reference.json') }],
  ['a profile that is not JSON', { ...files, 'reference.json': 'not JSON' }],
  ['a profile that contradicts itself', { ...files, 'reference.json': { ...profile(), features: [{ ...profile().features[0], counts: [1] }] } }],
])('an artifact with %s is served all the same: its windows have no verdict on drift', async (_, contents) => {
  const monitor = await startDriftMonitor()
  await monitor.setPolicy()
  await monitor.promote('1', 1, contents)
  await monitor.predict(0, 200, shifted)
  await until(async () => (await verdicts(monitor))[0] === 'no_reference')
  const status = await monitor.status()
  expect(status.state).toBe('unknown')
  expect(status['reference']).toMatchObject({ problem: expect.stringMatching(/millrace-model\.json|reference\.json/) })
})

test('after a restart, counting goes on where it stopped and nothing is counted twice', async () => {
  const monitor = await watching()
  for (const second of [0, 1, 2]) await monitor.predict(second, 200, shifted)
  await monitor.restart()
  await until(async () => (await monitor.published()).length > 0)
  await monitor.restart()
  await until(async () => (await verdicts(monitor)).length === 3)
  expect((await monitor.status()).windows.map((window) => window.rows)).toEqual([200, 200, 200])
  expect(await eventTypes(monitor)).toEqual(['drift.detected'])
})

test('shortening the period does not leave rows waiting for the end of a long one', async () => {
  const monitor = await watching()
  await monitor.setPolicy({ windowMs: 7 * 86_400_000, latenessMs: 86_400_000 })
  await monitor.predict(0, 150, usual)
  await until(async () => (await monitor.status()).windows[0]?.rows === 150)
  await monitor.setPolicy()
  await until(async () => (await verdicts(monitor))[0] === 'ok')
})

test('labels are taken once each, may come first, and show the accuracy of their window', async () => {
  const monitor = await watching()
  const early = [{ predictionId: 'prediction-1', model: MODEL, label: 'pike' }]
  const post = async (labels: unknown) => monitor.send('/api/v1/labels', { method: 'POST', body: JSON.stringify({ labels }), role: 'user' })
  expect(labelsResponse.parse(await (await post(early)).json())).toEqual({ accepted: 1, duplicates: 0 })
  expect(labelsResponse.parse(await (await post(early)).json())).toEqual({ accepted: 0, duplicates: 1 })
  const ids = await monitor.predict(0, 200, usual)
  await until(async () => (await verdicts(monitor))[0] === 'ok')
  await post(ids.slice(1, 100).map((predictionId) => ({ predictionId, model: MODEL, label: 'pike' })))
  expect((await monitor.status()).windows[0]?.['realised']).toEqual({ labelledRows: 100, accuracy: 0.5 })
})

test('labels that show a quality below the limit are reported once, until it is good again', async () => {
  const monitor = await watching()
  await monitor.setPolicy({ minAccuracy: 0.9 })
  const tell = (ids: readonly string[], label: string) =>
    monitor.send('/api/v1/labels', { method: 'POST', body: JSON.stringify({ labels: ids.map((predictionId) => ({ predictionId, model: MODEL, label })) }) })
  await tell(await monitor.predict(0, 150, usual), 'pike')
  await until(async () => (await monitor.published()).length === 1)
  expect((await monitor.published())[0]?.data).toMatchObject({ metric: 'accuracy', value: 0.5, limit: 0.9, labelledRows: 150, version: '1' })
  await tell(await monitor.predict(1, 150, usual), 'pike')
  await tell(await monitor.predict(2, 150, shifted), 'pike')
  await until(async () => (await monitor.database.query('select 1 from monitor where performance_alert_id is null')).length === 1)
  await tell(await monitor.predict(3, 150, usual), 'perch')
  await until(async () => (await monitor.published()).length === 2)
  expect(await eventTypes(monitor)).toEqual(['performance.degraded', 'performance.degraded'])
})

test('a model that nobody knows answers 404, one with a policy alone is unknown', async () => {
  const monitor = await startDriftMonitor()
  expect((await monitor.send('/api/v1/drift/models/nobody')).status).toBe(404)
  expect(driftPolicyResponse.parse(await (await monitor.send('/api/v1/drift/policies/nobody')).json()).policy.minWindowRows).toBe(500)
  await monitor.setPolicy()
  expect(await monitor.status()).toMatchObject({ state: 'unknown', version: null, policy, windows: [] })
})

test.each([
  ['PUT', `/api/v1/drift/policies/${MODEL}`, '{"windowMs":', 400, /not valid JSON/],
  ['PUT', `/api/v1/drift/policies/${MODEL}`, JSON.stringify({ ...policy, minWindowRows: 10 }), 400, /minWindowRows/],
  ['PUT', `/api/v1/drift/policies/${MODEL}`, JSON.stringify({ ...policy, colour: 'red' }), 400, /colour/],
  ['PUT', '/api/v1/drift/policies/a%2Fb', JSON.stringify(policy), 400, /model/],
  ['POST', '/api/v1/labels', '{"labels":[]}', 400, /labels/],
  ['POST', '/api/v1/labels', '{"labels":[{"predictionId":"p","model":"m","label":"l","labelledAt":"yesterday"}]}', 400, /labelledAt/],
  ['POST', '/api/v1/labels', JSON.stringify({ labels: [{ predictionId: 'p', model: 'm', label: 'x'.repeat(2_000_000) }] }), 413, /larger than/],
  ['DELETE', `/api/v1/drift/models/${MODEL}`, undefined, 405, /use GET/],
  ['GET', '/api/v1/drift/nothing', undefined, 404, /nothing at/],
])('%s %s with bad input answers what is wrong', async (method, path, body, status, message) => {
  const monitor = await startDriftMonitor()
  const answer = await monitor.send(path, { method, ...(body === undefined ? {} : { body }) })
  expect(answer.status).toBe(status)
  expect(await answer.text()).toMatch(message)
  expect((await monitor.send('/health')).status).toBe(200)
})

test('roles: reading needs viewer, labels user, policies editor; a forged token is refused', async () => {
  const monitor = await startDriftMonitor()
  const put = { method: 'PUT', body: JSON.stringify(policy) }
  expect((await monitor.send(`/api/v1/drift/policies/${MODEL}`, { ...put, role: 'user' })).status).toBe(403)
  expect((await monitor.send('/api/v1/labels', { method: 'POST', body: '{}', role: 'viewer' })).status).toBe(403)
  expect((await monitor.send(`/api/v1/drift/policies/${MODEL}`, { headers: { authorization: 'Bearer forged' } })).status).toBe(401)
})
