import { randomBytes } from 'node:crypto'
import { modelPromoted, servingStateChanged } from '@millrace/contracts/events/model-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkAll } from './check/check-all.ts'
import { collectEvidence } from './harness/collect.ts'
import { crashAt } from './harness/crash.ts'
import { at, finishRun, promote, registerScales, untilServed } from './harness/model-life.ts'
import { scaleAnswer } from './harness/models.ts'
import { type Platform, startPlatform } from './harness/platform.ts'

const models = ['committed', 'sent', 'reload']
const factors = [2, 3]

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ processes: ['tracking-1', 'registry-1', 'inference-1', 'inference-2'] })
  for (const model of models) await registerScales(platform.client, model, factors)
})
afterAll(() => platform?.stop())

const pods = () => platform.processes.filter(({ service }) => service === 'inference')

async function serves(model: string, version: string): Promise<void> {
  await untilServed(platform.client, pods(), model, version)
  for (const pod of pods()) expect(await platform.client.predict(model, [1, 2], pod)).toMatchObject({ status: 200, version })
}

const versionsOf = (model: string) =>
  platform.database.query<{ run_id: string; status: string }>(
    'select v.run_id, v.status from registry.model_version v join registry.registered_model m on m.id = v.model_id where m.name = $1',
    [model],
  )

test('after the effect of an event, before its offset is committed: it is delivered again and has one effect', async () => {
  // First in this file, and in good order: a member that was killed holds its partitions for ten seconds.
  await platform.process('registry-1').stop()
  const runId = await crashAt(platform, 'registry-1', 'after_effect_before_commit', () => finishRun(platform.client, { 'millrace.register': 'effect' }))
  await until(async () => (await versionsOf('effect')).some(({ status }) => status === 'READY'))
  const again = await finishRun(platform.client, { 'millrace.register': 'effect' })
  await until(async () => (await versionsOf('effect')).some(({ run_id }) => run_id === again))
  expect((await versionsOf('effect')).map(({ run_id }) => run_id)).toEqual([runId, again])
})

test('after the commit, before anything is published: the promotion is not lost, and asking again gets its answer', async () => {
  const { client } = platform
  await promote(client, 'committed', '1')
  await serves('committed', '1')
  const lost = await crashAt(platform, 'registry-1', 'after_db_commit', () => promote(client, 'committed', '2', { key: 'once', expectedGeneration: 1 }))
  expect(lost.status).toBe(0)
  await serves('committed', '2')
  const repeated = await promote(client, 'committed', '2', { key: 'once', expectedGeneration: 1 })
  expect(repeated).toMatchObject({ status: 200, body: { generation: 2 } })
})

test('after publishing, before that is marked: the events come twice and change nothing', async () => {
  const { client, eventLog } = platform
  await promote(client, 'sent', '1')
  await serves('sent', '1')
  await crashAt(platform, 'registry-1', 'after_send', () => promote(client, 'sent', '2'))
  await serves('sent', '2')
  await until(async () => {
    const records = await Promise.all([servingStateChanged.topic, modelPromoted.topic].map((topic) => eventLog.readToEnd(topic)))
    const ids = records.flat().map(({ headers }) => headers['ce_id'])
    return new Set(ids).size < ids.length
  })
})

test('in the middle of an artifact: nothing of it can be seen, and uploading it again works', async () => {
  const { client } = platform
  const bytes = randomBytes(20 * 1024 * 1024)
  const path = '/api/2.0/mlflow-artifacts/artifacts/0/large/weights.bin'
  const upload = () => client.write('artifact/0/large/weights.bin', 'tracking', 'PUT', path, { bytes })
  expect((await crashAt(platform, 'tracking-1', 'mid_artifact_write', upload)).status).toBe(0)
  expect(await client.send('tracking', 'GET', path)).toMatchObject({ status: 404 })
  expect((await client.send('tracking', 'GET', '/api/2.0/mlflow-artifacts/artifacts?path=0/large')).body).toEqual({})
  expect((await upload()).status).toBe(200)
  const stored = await client.send('tracking', 'GET', '/api/2.0/mlflow-artifacts/artifacts?path=0/large')
  expect(at(Array.isArray(stored.body['files']) ? stored.body['files'][0] : null, 'file_size')).toBe(bytes.length)
})

test('a pod that dies between warm-up and swap serves the new version when it is back; the other pod never stopped', async () => {
  const { client } = platform
  await promote(client, 'reload', '1')
  await serves('reload', '1')
  await crashAt(platform, 'inference-2', 'mid_reload', async () => {
    await promote(client, 'reload', '2')
    await until(() => platform.process('inference-2').pid === null)
    expect(await client.predict('reload', [1, 2], platform.process('inference-1'))).toMatchObject({ status: 200 })
  })
  await serves('reload', '2')
})

test('after all of that, no invariant is violated', async () => {
  const versions = models.flatMap((model) => factors.map((factor, index) => ({ model, version: String(index + 1), answer: scaleAnswer(factor) })))
  expect(checkAll(await collectEvidence(platform, { versions }))).toEqual([])
})
