import { afterAll, beforeAll, expect, test } from 'vitest'
import { isTaken } from '../infra/ask.ts'
import { checkAll } from './check/check-all.ts'
import { collectEvidence } from './harness/collect.ts'
import { requireSetting } from './harness/infrastructure.ts'
import { promote, registerScales, untilServed } from './harness/model-life.ts'
import { scaleAnswer } from './harness/models.ts'
import { type Platform, startPlatform } from './harness/platform.ts'

const MODEL = 'scale'
const factors = [2, 3]

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ processes: ['tracking-1', 'registry-1', 'inference-1'] })
  await registerScales(platform.client, MODEL, factors)
  await promote(platform.client, MODEL, '1')
  await untilServed(platform.client, [platform.process('inference-1')], MODEL, '1')
})
afterAll(async () => {
  await platform?.stop()
  await platform?.infrastructure.up()
})

test('a pod that starts while Kafka, S3, Redis and the registry are down serves its last good model, and catches up afterwards', async () => {
  const { client, infrastructure } = platform
  const [pod, registry] = [platform.process('inference-1'), platform.process('registry-1')]
  await pod.kill()
  await registry.kill()
  await infrastructure.down('kafka', 's3', 'redis')
  expect(await isTaken(Number(requireSetting(infrastructure.env, 'KAFKA_BROKERS').split(':')[1]))).toBe(false)
  await pod.start()
  await untilServed(client, [pod], MODEL, '1')
  expect(await client.predict(MODEL, [1, 2], pod)).toMatchObject({ status: 200, version: '1', generation: 1, output: [3, 5] })
  expect((await client.send('inference', 'GET', '/ready', { url: pod.url })).status).toBe(200)
  await infrastructure.up('kafka', 's3', 'redis')
  await registry.start()
  expect((await promote(client, MODEL, '2')).status).toBe(200)
  await untilServed(client, [pod], MODEL, '2', 60_000)
  expect(await client.predict(MODEL, [1, 2], pod)).toMatchObject({ status: 200, version: '2', output: [4, 7] })
})

test('after all of that, no invariant is violated', async () => {
  const versions = factors.map((factor, index) => ({ model: MODEL, version: String(index + 1), answer: scaleAnswer(factor) }))
  expect(checkAll(await collectEvidence(platform, { versions }))).toEqual([])
})
