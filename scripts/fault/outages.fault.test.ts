import { setTimeout as pause } from 'node:timers/promises'
import { servingLoadFailed } from '@millrace/contracts/events/serving-events.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isTaken } from '../infra/ask.ts'
import type { ServerName } from '../infra/settings.ts'
import { checkAll } from './check/check-all.ts'
import type { PredictionRecord } from './check/evidence.ts'
import { collectEvidence } from './harness/collect.ts'
import { requireSetting } from './harness/infrastructure.ts'
import { at, finishRun, logModel, promote, registerRun, registerScales, untilServed } from './harness/model-life.ts'
import { scaleAnswer, scaleModel } from './harness/models.ts'
import { type Platform, startPlatform } from './harness/platform.ts'
import { watchProduction } from './harness/watch-production.ts'

const MODEL = 'scale'
const factors = [2, 3, 4, 5]
const OUTAGE_MS = 20_000

let platform: Platform
let watch: ReturnType<typeof watchProduction>
beforeAll(async () => {
  platform = await startPlatform({ processes: ['tracking-1', 'registry-1', 'inference-1', 'inference-2'], env: { INFERENCE_CACHE_TTL_MS: '60000' } })
  await registerScales(platform.client, MODEL, factors)
  await promote(platform.client, MODEL, '1')
  await untilServed(platform.client, pods(), MODEL, '1')
  watch = watchProduction(platform)
})
afterAll(async () => {
  await platform?.stop()
  await platform?.infrastructure.up()
})

const pods = () => platform.processes.filter(({ service }) => service === 'inference')

const ports: Record<ServerName, () => number> = {
  kafka: () => Number(requireSetting(platform.infrastructure.env, 'KAFKA_BROKERS').split(':')[1]),
  postgres: () => Number(new URL(requireSetting(platform.infrastructure.env, 'DATABASE_URL')).port),
  redis: () => Number(new URL(requireSetting(platform.infrastructure.env, 'REDIS_URL')).port),
  s3: () => Number(new URL(requireSetting(platform.infrastructure.env, 'S3_ENDPOINT')).port),
}

/** Kills a server, asks the pods for predictions while `work` goes on without it, and starts the server again. */
async function without(server: ServerName, work: () => Promise<unknown>): Promise<PredictionRecord[]> {
  const { infrastructure, client } = platform
  infrastructure.signal(server, 'SIGKILL')
  await until(async () => !(await isTaken(ports[server]())))
  let going = true
  const asking = Promise.all(
    pods().map(async (pod) => {
      const own: PredictionRecord[] = []
      for (; going; await pause(20)) own.push(await client.predict(MODEL, [own.length, 2], pod))
      return own
    }),
  )
  try {
    await work()
    // The fault lasted until here.
    expect(await isTaken(ports[server]())).toBe(false)
  } finally {
    await infrastructure.up(server)
    going = false
  }
  const answers = (await asking).flat()
  expect(answers.length).toBeGreaterThan(0)
  expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  return answers
}

test('without Redis predictions and promotions go on', async () => {
  const { client } = platform
  await without('redis', async () => {
    expect((await promote(client, MODEL, '2')).status).toBe(200)
    await untilServed(client, pods(), MODEL, '2')
  })
})

test('without S3 uploads are refused as passing, what serves goes on serving, and pods catch up when it is back', async () => {
  const { client, eventLog } = platform
  const runId = await logModel(client, scaleModel(4))
  const path = `/api/2.0/mlflow-artifacts/artifacts/0/${runId}/late.bin`
  await without('s3', async () => {
    expect((await promote(client, MODEL, '3')).status).toBe(200)
    expect((await client.send('tracking', 'PUT', path, { bytes: Buffer.alloc(1000, 1), timeoutMs: 30_000 })).status).toBe(503)
    await until(async () => {
      const told = (await eventLog.readToEnd(servingLoadFailed.topic)).filter(({ headers }) => headers['ce_type'] === servingLoadFailed.type)
      const failures = told.map(({ value }) => servingLoadFailed.data.parse(JSON.parse(value?.toString() ?? '')))
      return failures.some(({ kind, stage }) => kind === 'transient' && stage === 'fetch')
    })
  })
  await untilServed(client, pods(), MODEL, '3', 60_000)
  expect((await client.send('tracking', 'PUT', path, { bytes: Buffer.alloc(1000, 1) })).status).toBe(200)
})

/** Runs created one after another while the database goes away and comes back: some are acknowledged, some are not. */
async function createRuns(until: () => boolean): Promise<number[]> {
  const statuses: number[] = []
  while (!until()) {
    const key = (answer: { body: unknown }): string => `run/${String(at(answer.body, 'run', 'info', 'run_id'))}`
    const body = { experiment_id: '0', start_time: Date.now() }
    statuses.push((await platform.client.write(key, 'tracking', 'POST', '/api/2.0/mlflow/runs/create', { body })).status)
  }
  return statuses
}

test('a restart of PostgreSQL loses nothing that was acknowledged, and services go on by themselves', async () => {
  const { client } = platform
  let over = false
  const writing = createRuns(() => over)
  await pause(500)
  await without('postgres', async () => {
    expect((await promote(client, MODEL, '4')).status).toBeGreaterThanOrEqual(500)
    await pause(2000)
  })
  await until(async () => (await promote(client, MODEL, '4')).status === 200)
  over = true
  const statuses = await writing
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0)
  expect(statuses.filter((status) => status !== 200).length).toBeGreaterThan(0)
  await untilServed(client, pods(), MODEL, '4')
})

test('twenty seconds without the broker: promotions reach the pods, nothing is lost, and events flow when it is back', async () => {
  const { client, database } = platform
  const finished: string[] = []
  await without('kafka', async () => {
    const began = performance.now()
    finished.push(await finishRun(client, { 'millrace.register': 'meanwhile' }))
    expect((await promote(client, MODEL, '1')).status).toBe(200)
    await untilServed(client, pods(), MODEL, '1')
    await pause(OUTAGE_MS - (performance.now() - began))
  })
  await until(async () => (await database.query('select 1 from tracking.outbox where published_at is null')).length === 0, { timeoutMs: 30_000 })
  const rows = () => database.query<{ run_id: string }>(`select run_id from registry.model_version where automatic and status = 'READY'`)
  await until(async () => (await rows()).length > 0, { timeoutMs: 60_000 })
  expect((await rows()).map(({ run_id }) => run_id)).toEqual(finished)
})

test('a broker that stands still holds up nobody but the events', async () => {
  const { client, infrastructure } = platform
  infrastructure.signal('kafka', 'SIGSTOP')
  try {
    expect((await promote(client, MODEL, '2')).status).toBe(200)
    await untilServed(client, pods(), MODEL, '2')
  } finally {
    infrastructure.signal('kafka', 'SIGCONT')
  }
  const version = await registerRun(client, MODEL, await logModel(client, scaleModel(6)))
  expect((await promote(client, MODEL, version)).status).toBe(200)
  await untilServed(client, pods(), MODEL, version)
})

test('after all of that, no invariant is violated', async () => {
  const versions = [...factors, 6].map((factor, index) => ({ model: MODEL, version: String(index + 1), answer: scaleAnswer(factor) }))
  expect(checkAll(await collectEvidence(platform, { versions, productionCounts: await watch.stop() }))).toEqual([])
})
