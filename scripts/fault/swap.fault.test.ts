import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkAll } from './check/check-all.ts'
import { collectEvidence } from './harness/collect.ts'
import { promote, registerScales, untilServed } from './harness/model-life.ts'
import { scaleAnswer } from './harness/models.ts'
import { type Platform, startPlatform } from './harness/platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ processes: ['tracking-1', 'registry-1', 'inference-1', 'inference-2'] })
})
afterAll(() => platform?.stop())

test('smoke', async () => {
  const { client, processes } = platform
  const pods = processes.filter(({ service }) => service === 'inference')
  await registerScales(client, 'smoke', [2, 3])
  expect((await promote(client, 'smoke', '1')).status).toBe(200)
  await untilServed(client, pods, 'smoke', '1')
  expect(await client.predict('smoke', [1, 2], pods[0])).toMatchObject({ status: 200, version: '1', output: [3, 5] })
  expect((await promote(client, 'smoke', '2')).status).toBe(200)
  await untilServed(client, pods, 'smoke', '2')
  const versions = [2, 3].map((factor, index) => ({ model: 'smoke', version: String(index + 1), answer: scaleAnswer(factor) }))
  expect(checkAll(await collectEvidence(platform, { versions }))).toEqual([])
})
