import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { inferenceLogged } from '@millrace/contracts/events/serving-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { drawDataset } from '@millrace/sample-fish/draw-dataset.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkAll } from './check/check-all.ts'
import { collectEvidence } from './harness/collect.ts'
import { createModel, logModel, okay, promote, registerRun, registerScales, untilServed } from './harness/model-life.ts'
import { scaleAnswer, scaleModel } from './harness/models.ts'
import { type Platform, startPlatform } from './harness/platform.ts'
import { watchProduction } from './harness/watch-production.ts'

const MODEL = 'scale'
const factors = [2, 3, 4]
const MLFLOW = '/api/2.0/mlflow'

let platform: Platform
let watch: ReturnType<typeof watchProduction>
beforeAll(async () => {
  const copies = ['inference-1', 'inference-2']
  platform = await startPlatform({ processes: ['tracking-1', 'registry-1', 'promoter-1', 'trainer-1', 'drift-monitor-1', 'gateway-1', ...copies] })
  await registerScales(platform.client, MODEL, factors)
  await promote(platform.client, MODEL, '1')
  await untilServed(platform.client, pods(), MODEL, '1')
  watch = watchProduction(platform)
})
afterAll(() => platform?.stop())

const pods = () => platform.processes.filter(({ service }) => service === 'inference')

/** Kills a process while `work` goes on, starts it again, and lets the work go on until the end. Answers what the work came to. */
async function killDuring<T>(name: string, work: (over: () => boolean) => Promise<T>, whenToKill: () => Promise<unknown> = () => pause(400)): Promise<T> {
  let over = false
  const killed = platform.process(name)
  const pid = killed.pid
  const working = work(() => over)
  await whenToKill()
  await killed.kill()
  await killed.start()
  await pause(400)
  over = true
  const result = await working
  // The fault fired: another process answers now.
  expect(killed.pid).not.toBe(pid)
  return result
}

test('tracking, while parameters are logged: each that was acknowledged is there', async () => {
  const { client } = platform
  const runId = await logModel(client, scaleModel(1))
  const statuses = await killDuring('tracking-1', async (over) => {
    const seen: number[] = []
    for (let index = 0; !over(); index++) {
      const body = { run_id: runId, key: `p${index}`, value: String(index) }
      seen.push((await client.write(`param/${runId}/p${index}`, 'tracking', 'POST', `${MLFLOW}/runs/log-parameter`, { body })).status)
    }
    return seen
  })
  expect(statuses).toContain(200)
  expect(statuses).toContain(0)
})

test('the registry, while versions are promoted: each promotion happens once, and pods follow', async () => {
  const { client } = platform
  const statuses = await killDuring('registry-1', async (over) => {
    const seen: number[] = []
    for (let round = 0; !over(); round++) {
      const key = `kill-${round}`
      let answer = await promote(client, MODEL, String((round % 3) + 1), { key })
      seen.push(answer.status)
      while (answer.status !== 200) answer = await promote(client, MODEL, String((round % 3) + 1), { key })
    }
    return seen
  })
  expect(statuses).toContain(0)
  expect((await promote(client, MODEL, '2')).status).toBe(200)
  await untilServed(client, pods(), MODEL, '2')
})

test('a pod, while the gateway is asked for predictions: none fails, and the pod serves again', async () => {
  const { client } = platform
  await until(async () => (await client.send('gateway', 'GET', '/ready')).status === 200)
  const answers = await killDuring('inference-2', async (over) => {
    const asking = Array.from({ length: 4 }, async (_, lane) => {
      const seen: number[] = []
      while (!over()) seen.push((await client.predict(MODEL, [seen.length, lane])).status)
      return seen
    })
    return (await Promise.all(asking)).flat()
  })
  expect(answers.length).toBeGreaterThan(50)
  expect(answers.filter((status) => status !== 200)).toEqual([])
  await untilServed(client, pods(), MODEL, '2')
})

test('the gateway, while it is asked: it answers again as soon as it is back, and needs nobody for that', async () => {
  const { client } = platform
  const infer = { body: { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] } }
  const statuses = await killDuring('gateway-1', async (over) => {
    const seen: number[] = []
    while (!over()) seen.push((await client.send('gateway', 'POST', `/v2/models/${MODEL}/infer`, infer)).status)
    return seen
  })
  expect(new Set(statuses)).toEqual(new Set([200, 0]))
  expect(statuses.at(-1)).toBe(200)
})

const policy = {
  ...{ metrics: {}, champion: null, signatureCompatible: true, maxSizeBytes: null, maxLatencyMs: null, parityTolerance: null },
  ...{ approval: 'auto', directPromotion: 'allowed' },
}

test('the promoter, in the middle of a decision: the version is decided on once and promoted once', async () => {
  const { client, database } = platform
  await createModel(client, 'decided')
  okay(await client.send('promoter', 'PUT', '/api/v1/promotions/policies/decided', { body: policy }), 'the policy')
  const runs = await Promise.all([5, 6].map((factor) => logModel(client, scaleModel(factor))))
  const states = () =>
    database.query<{ version: number; state: string }>(`select version, state from promoter.decision where model = 'decided' order by version`)
  await registerRun(client, 'decided', runs[0] ?? '')
  await until(async () => (await states())[0]?.state === 'promoted', { timeoutMs: 60_000 })
  await killDuring(
    'promoter-1',
    () => registerRun(client, 'decided', runs[1] ?? ''),
    async () => {
      const seen = await until(async () => (await states()).find(({ version }) => version === 2))
      expect(['evaluating', 'promoting']).toContain(seen.state)
    },
  )
  await until(async () => (await states())[1]?.state === 'promoted', { timeoutMs: 60_000 })
  await untilServed(client, pods(), 'decided', '2')
})

test('the drift monitor, while it counts: each logged prediction is counted once', async () => {
  const { client, database } = platform
  await killDuring(
    'drift-monitor-1',
    async (over) => {
      while (!over()) await Promise.all(pods().map((pod) => client.predict(MODEL, [1, 2], pod)))
    },
    () => until(async () => (await database.query('select 1 from drift_monitor.inbox limit 1')).length > 0 && (await counted()) > 10),
  )
  // One that was counted twice would keep these apart for ever.
  await until(async () => new Set([await loggedPredictions(), await counted(), await countedInWindows()]).size === 1, { timeoutMs: 60_000, everyMs: 200 })
})

async function loggedPredictions(): Promise<number> {
  const records = await platform.eventLog.readToEnd(inferenceLogged.topic)
  const ids = records.map(({ value }) => inferenceLogged.data.parse(JSON.parse(value?.toString() ?? ''))).filter(({ model }) => model === MODEL)
  return new Set(ids.map(({ predictionId }) => predictionId)).size
}

async function countedInWindows(): Promise<number> {
  const [row] = await platform.database.query<{ rows: number }>(
    `select ((select coalesce(sum(rows), 0) from drift_monitor.bucket where model = $1)
      + (select coalesce(sum(rows), 0) from drift_monitor.closed_window where model = $1))::int8 as rows`,
    [MODEL],
  )
  return row?.rows ?? 0
}

async function counted(): Promise<number> {
  const [row] = await platform.database.query<{ rows: number }>('select count(*) as rows from drift_monitor.prediction where model = $1', [MODEL])
  return row?.rows ?? 0
}

test('the trainer, in the middle of a training: another attempt makes the model, and one run is its outcome', async () => {
  const { client, database, directory } = platform
  const dataset = join(directory, 'datasets', 'fish')
  await drawDataset({ root: dataset, seed: 1, light: 'daylight', imagesPerClass: 20 })
  const body = { model: 'trained', dataset, register: true, parameters: { seed: 1, epochs: 2 } }
  const stateOf = async (): Promise<{ state: string; attempt: number } | undefined> =>
    (await database.query<{ state: string; attempt: number }>('select state, attempt from trainer.job'))[0]
  await killDuring(
    'trainer-1',
    async () => okay(await client.send('trainer', 'POST', '/api/v1/training/jobs', { body }), 'the job'),
    () =>
      until(async () => (await stateOf())?.state === 'running' && (await database.query(`select 1 from trainer.attempt where run_id is not null`)).length > 0),
  )
  expect(await until(async () => ((await stateOf())?.state === 'succeeded' ? stateOf() : null), { timeoutMs: 100_000 })).toMatchObject({ attempt: 2 })
  const runs = await database.query<{ status: string }>(
    `select r.status from tracking.run r join tracking.run_tag t on t.run_id = r.run_id and t.key = 'millrace.job' order by r.start_time`,
  )
  expect(runs.map(({ status }) => status)).toEqual(['KILLED', 'FINISHED'])
})

test('after all of that, no invariant is violated', async () => {
  const versions = factors.map((factor, index) => ({ model: MODEL, version: String(index + 1), answer: scaleAnswer(factor) }))
  await until(async () => (await platform.database.query(`select 1 from promoter.decision where state in ('evaluating', 'promoting')`)).length === 0, {
    timeoutMs: 60_000,
  })
  await untilServed(platform.client, pods(), 'trained', '1')
  expect(checkAll(await collectEvidence(platform, { versions, productionCounts: await watch.stop() }))).toEqual([])
})
