import { runStarted } from '@millrace/contracts/events/run-events.ts'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from './clock.ts'
import { TransientError } from './errors.ts'
import type { EventLog } from './events/event-log.ts'
import { done, on } from './events/handler.ts'
import { createMemoryLog } from './events/memory.ts'
import { createPublish } from './events/outbox.ts'
import { type HostOptions, startService, type WatchedDatabase, watchCommits } from './host.ts'
import { ok, route } from './http/route.ts'
import { createKeyRing } from './http/signed-identity.ts'
import { silentLog } from './log.ts'
import type { Service } from './service.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { countingIds } from './testing/fixed.ts'
import { freshDatabase } from './testing/fresh-database.ts'
import { until } from './testing/until.ts'

const identity = createKeyRing(['tracking']).identityOf('tracking')
const publish = createPublish({ source: '/millrace/tracking', clock: systemClock, newId: countingIds() })
const run = { experimentId: '1', runName: 'r', user: 'u', startTime: '2026-01-01T00:00:00.000Z', tags: {} }

const emptyService: Service = { name: 'tracking', routes: [], consumers: [], jobs: [], readiness: async () => ({ ready: true, detail: {} }) }

async function host(service: Partial<Service>, options: Partial<HostOptions> = {}) {
  const base = {
    host: '127.0.0.1',
    port: 0,
    database: null,
    eventLog: createMemoryLog(),
    identity,
    log: silentLog,
    metrics: createMetrics('tracking'),
    clock: systemClock,
  }
  const started = await startService({ ...base, service: { ...emptyService, ...service }, ...options })
  onTestFinished(() => started.stop())
  return started
}

const startRun = (database: WatchedDatabase) =>
  route({
    method: 'POST',
    path: '/runs/:id',
    access: 'public',
    summary: 'Start',
    handle: async () => {
      await database.transaction((tx) => publish(tx, { definition: runStarted, subject: 'r1', data: { ...run, runId: 'r1' } }))
      return ok({})
    },
  })

test('a committed event goes over the log to the consumer, and jobs look at once', async () => {
  const database = watchCommits(await freshDatabase())
  const handled: string[] = []
  let runs = 0
  const job = {
    name: 'sweep',
    everyMs: 3_600_000,
    run: async () => {
      runs += 1
      return false
    },
  }
  const consumer = {
    group: 'tracking',
    handlers: [
      on(runStarted, async (event) => {
        handled.push(event.data.runId)
        return done
      }),
    ],
  }
  const { value } = await host({ routes: [startRun(database)], consumers: [consumer], jobs: [job] }, { database })
  await until(() => runs > 0)
  const before = runs
  await fetch(`${value.url}/runs/r1`, { method: 'POST' })
  await until(() => handled.length === 1 && runs > before)
  expect(handled).toEqual(['r1'])
})

test('stopping ends what consumes first, then the port, then sends what is left, and the service’s own parts last', async () => {
  const database = watchCommits(await freshDatabase())
  const order: string[] = []
  const memory = createMemoryLog()
  const log: { open: boolean; refused: number } = { open: false, refused: 0 }
  const held: EventLog = {
    ...memory,
    publish: async (topic, records) => {
      if (!log.open) {
        log.refused += 1
        throw new TransientError('not yet')
      }
      await memory.publish(topic, records)
      order.push('sent')
    },
    subscribe: async (subscription) => {
      const started = await memory.subscribe(subscription)
      return { ...started, stop: () => started.stop().then(() => void order.push('consumer')) }
    },
  }
  const started = await host(
    {
      routes: [startRun(database)],
      consumers: [{ group: 'tracking', handlers: [on(runStarted, async () => done)] }],
      stop: async () => {
        order.push(
          `service, port ${await fetch(started.value.url).then(
            () => 'open',
            () => 'closed',
          )}`,
        )
      },
    },
    { database, eventLog: held },
  )
  await fetch(`${started.value.url}/runs/r1`, { method: 'POST' })
  await until(() => log.refused > 0)
  log.open = true
  await started.stop()
  expect(order.filter((step) => step !== 'sent')).toEqual(['consumer', 'service, port closed'])
  expect(await memory.readToEnd(runStarted.topic)).toHaveLength(1)
})

test('before it stops the service says that it is not ready, and goes on serving for a while', async () => {
  const thing = route({ method: 'GET', path: '/thing', access: 'public', summary: 'Thing', handle: async () => ok({}) })
  const started = await host({ routes: [thing] }, { readinessDelayMs: 1000 })
  expect((await fetch(`${started.value.url}/ready`)).status).toBe(200)
  const stopped = started.stop()
  expect((await fetch(`${started.value.url}/ready`)).status).toBe(503)
  expect((await fetch(`${started.value.url}/thing`)).status).toBe(200)
  await stopped
  await expect(fetch(started.value.url)).rejects.toThrow()
})

test('a port that is taken stops what had been started', async () => {
  const first = await host({})
  const stopped: string[] = []
  const second = host({ start: async () => void stopped.push('started'), stop: async () => void stopped.push('stopped') }, { port: first.value.port })
  await expect(second).rejects.toMatchObject({ code: 'RESOURCE_CONFLICT' })
  expect(stopped).toEqual(['started', 'stopped'])
})

test('a consumer without a database is refused: it could not tell a repeated event', async () => {
  const consumers = [{ group: 'tracking', handlers: [on(runStarted, async () => done)] }]
  await expect(host({ consumers })).rejects.toThrow(/no database to keep its inbox in/)
})

test('a job that hangs is aborted by the stop', async () => {
  let aborted = false
  const run = (signal: AbortSignal) =>
    new Promise<boolean>((resolve) => {
      signal.addEventListener('abort', () => {
        aborted = true
        resolve(false)
      })
    })
  const started = await host({ jobs: [{ name: 'long', everyMs: 1000, run }] })
  await started.stop()
  expect(aborted).toBe(true)
})

test('asked to open when ready, the port opens only then; and after the time it was given, ready or not', async () => {
  let asked = 0
  const readiness = async () => ({ ready: ++asked >= 3, detail: {} })
  const { value } = await host({ readiness }, { openWhenReadyMs: 60_000 })
  expect(asked).toBe(3)
  expect((await fetch(`${value.url}/ready`)).status).toBe(200)
  const late = await host({ readiness: async () => ({ ready: false, detail: {} }) }, { openWhenReadyMs: 50 })
  expect((await fetch(`${late.value.url}/health`)).status).toBe(200)
})

test('the relay of a process that is not the active one sends nothing until it is', async () => {
  const database = watchCommits(await freshDatabase())
  const { promise: active, resolve: activate } = Promise.withResolvers<void>()
  const eventLog = createMemoryLog()
  const relay = { becomeActive: () => active, isActive: () => true }
  const { value } = await host({ routes: [startRun(database)] }, { database, eventLog, relay })
  await fetch(`${value.url}/runs/1`, { method: 'POST' })
  expect(await eventLog.readToEnd(runStarted.topic)).toEqual([])
  activate()
  await until(async () => (await eventLog.readToEnd(runStarted.topic)).length === 1)
})
