import { servingLoadFailed } from '@millrace/contracts/events/serving-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkAll } from './check/check-all.ts'
import type { PredictionRecord } from './check/evidence.ts'
import { collectEvidence, countProduction } from './harness/collect.ts'
import { createModel, logModel, promote, registerRun, registerScales, servedBy, untilServed } from './harness/model-life.ts'
import { crashingModel, scaleAnswer, scaleModel, slowModel } from './harness/models.ts'
import { type Platform, startPlatform } from './harness/platform.ts'
import { openReplyThief } from './harness/reply-thief.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ processes: ['tracking-1', 'registry-1', 'registry-2', 'inference-1', 'inference-2'] })
})
afterAll(() => platform?.stop())

const pods = () => platform.processes.filter(({ service }) => service === 'inference')
const known: { model: string; version: string; answer: (input: readonly number[]) => readonly number[] }[] = []
const counts: { model: string; count: number }[] = []

const knows = (model: string, factors: readonly number[]): void => {
  known.push(...factors.map((factor, index) => ({ model, version: String(index + 1), answer: scaleAnswer(factor) })))
}

/** Predictions of a model on every pod, one after another, until `done` resolves. */
async function predictWhile(model: string, done: Promise<unknown>): Promise<PredictionRecord[]> {
  let going = true
  void done.finally(() => {
    going = false
  })
  const answers = await Promise.all(
    pods().map(async (pod) => {
      const own: PredictionRecord[] = []
      while (going) own.push(await platform.client.predict(model, [own.length % 7, 2], pod))
      return own
    }),
  )
  await done
  return answers.flat()
}

/** Versions of a model that a pod holds in memory. */
async function versionsIn(url: string, model: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return metrics.split('\n').filter((line) => line.startsWith('millrace_model_loaded_info{') && line.includes(`model="${model}"`)).length
}

test('twenty swaps under load: no prediction fails, each answer is that of the version it names, at most one version is in Production', async () => {
  const { client, database } = platform
  const factors = [2, 3, 4]
  await registerScales(client, 'busy', factors)
  knows('busy', factors)
  await promote(client, 'busy', '1')
  await untilServed(client, pods(), 'busy', '1')
  async function swap(): Promise<void> {
    for (let round = 1; round <= 20; round++) {
      const version = String((round % factors.length) + 1)
      expect((await promote(client, 'busy', version)).status).toBe(200)
      counts.push(...(await countProduction(database)))
      await untilServed(client, pods(), 'busy', version)
    }
  }
  const answers = await predictWhile('busy', swap())
  expect(new Set(answers.map(({ version }) => version)).size).toBe(factors.length)
  expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  // What was swapped out is freed.
  await until(async () => (await Promise.all(pods().map(({ url }) => versionsIn(url, 'busy')))).every((count) => count === 1))
})

test('a prediction in progress during a swap is answered by the version that it began with', async () => {
  const { client } = platform
  const [pod] = pods()
  await createModel(client, 'slow')
  await registerRun(client, 'slow', await logModel(client, slowModel(2, 40)))
  await registerRun(client, 'slow', await logModel(client, scaleModel(3)))
  knows('slow', [2, 3])
  await promote(client, 'slow', '1')
  await untilServed(client, pods(), 'slow', '1')
  const begun = client.predict('slow', [1, 2], pod)
  await promote(client, 'slow', '2')
  let swappedMs = 0
  await until(async () => {
    const served = await servedBy(client, pod?.url ?? '', 'slow')
    swappedMs = Date.now()
    return served?.version === '2'
  })
  const slow = await begun
  expect(slow).toMatchObject({ status: 200, version: '1', generation: 1, output: [3, 5] })
  // The fault fired: the answer came after the swap.
  expect(slow.endedMs).toBeGreaterThan(swappedMs)
  expect(await client.predict('slow', [1, 2], pod)).toMatchObject({ version: '2', output: [4, 7] })
})

test('a model that crashes the process that runs it takes no pod down: it is quarantined, and the old version serves', async () => {
  const { client, eventLog } = platform
  await registerScales(client, 'native', [2])
  knows('native', [2])
  await promote(client, 'native', '1')
  await untilServed(client, pods(), 'native', '1')
  const pids = pods().map(({ pid }) => pid)
  const version = await registerRun(client, 'native', await logModel(client, crashingModel()))
  expect((await promote(client, 'native', version)).status).toBe(200)
  const failures = await until(async () => {
    const told = (await eventLog.readToEnd(servingLoadFailed.topic)).filter(({ headers }) => headers['ce_type'] === servingLoadFailed.type)
    const data = told.map(({ value }) => servingLoadFailed.data.parse(JSON.parse(value?.toString() ?? ''))).filter(({ model }) => model === 'native')
    return new Set(data.map(({ pod }) => pod)).size === 2 ? data : null
  })
  for (const failure of failures) {
    expect(failure).toMatchObject({ kind: 'deterministic', stage: 'probe', version })
    expect(failure.message).toContain('quarantine after 2 crashes')
    expect(failure.message).toMatch(/SIGFPE|SIGILL|exit code 136/)
  }
  for (const pod of pods()) expect(await client.predict('native', [1, 2], pod)).toMatchObject({ status: 200, version: '1', output: [3, 5] })
  expect(pods().map(({ pid }) => pid)).toEqual(pids)
  expect((await promote(client, 'native', '1')).status).toBe(200)
})

test('a reply that is lost after the promotion committed: asking again promotes nothing twice', async () => {
  const { client, database } = platform
  await registerScales(client, 'reply', [2, 3])
  knows('reply', [2, 3])
  await promote(client, 'reply', '1')
  const thief = await openReplyThief(platform.process('registry-1').url)
  try {
    const lost = await promote(client, 'reply', '2', { key: 'k1', expectedGeneration: 1, url: thief.url })
    expect(lost.status).toBe(0)
    expect(thief.stolen).toBe(1)
    const repeated = await promote(client, 'reply', '2', { key: 'k1', expectedGeneration: 1, url: platform.process('registry-2').url })
    expect(repeated).toMatchObject({ status: 200, body: { generation: 2 } })
    const rows = await database.query(`select 1 from registry.audit_entry where model = 'reply' and to_value = 'Production' and version = 2`)
    expect(rows).toHaveLength(1)
    await untilServed(client, pods(), 'reply', '2')
  } finally {
    await thief.stop()
  }
})

test('two promoters that race for one promotion: one wins, the other is told that it decided on something old', async () => {
  const { client } = platform
  await registerScales(client, 'race', [2, 3, 4])
  knows('race', [2, 3, 4])
  const urls = ['registry-1', 'registry-2'].map((name) => platform.process(name).url)
  let raced = 0
  for (let generation = 0; generation < 10; generation++) {
    const wanted = [String((generation % 3) + 1), String(((generation + 1) % 3) + 1)]
    const now = (await servedVersion('race')) ?? ''
    const versions = wanted.map((version) => (version === now ? String(6 - Number(wanted[0]) - Number(wanted[1])) : version))
    const answers = await Promise.all(
      versions.map((version, index) => promote(client, 'race', version, { expectedGeneration: generation, url: urls[index] ?? '' })),
    )
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b)
    expect(statuses).toEqual([200, 409])
    counts.push(...(await countProduction(platform.database)))
    raced += 1
  }
  expect(raced).toBe(10)
})

async function servedVersion(model: string): Promise<string | null> {
  const [row] = await platform.database.query<{ version: string | null }>(
    `select state -> 'production' ->> 'version' as version from registry.serving where model = $1`,
    [model],
  )
  return row?.version ?? null
}

test('after all of that, no invariant is violated', async () => {
  for (const [model, version] of [
    ['race', await servedVersion('race')],
    ['native', '1'],
  ] as const)
    await untilServed(platform.client, pods(), model, version ?? '')
  expect(checkAll(await collectEvidence(platform, { versions: known, productionCounts: counts }))).toEqual([])
})
