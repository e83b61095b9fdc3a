import { servingLoadFailed } from '@millrace/contracts/events/serving-events.ts'
import { newUuidV7 } from '@millrace/platform/clock.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import type { LogRecord } from '@millrace/platform/events/event-log.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { until } from '@millrace/platform/testing/until.ts'
import { expect, onTestFinished, test } from 'vitest'
import { startBackgroundPublisher } from './publish-in-background.ts'

function setUp(options: { fails?: number; capacity?: number; tries?: number } = {}) {
  const { fails = 0, capacity = 10, tries = 5 } = options
  const published: LogRecord[][] = []
  const attempts: number[] = []
  const metrics = createMetrics('test')
  const eventLog = {
    ...createMemoryLog(),
    async publish(_topic: string, records: readonly LogRecord[]) {
      attempts.push(records.length)
      if (attempts.length <= fails) throw new TransientError('away')
      published.push([...records])
    },
  }
  const topic = 'millrace.serving-events.v1'
  const publisher = startBackgroundPublisher(
    { eventLog, log: silentLog, metrics, newId: newUuidV7, source: '/millrace/inference/p' },
    { topic, capacity, batchSize: 3, lingerMs: 0, tries },
  )
  onTestFinished(() => publisher.stop())
  const say = (version: string) => {
    const served = { pod: 'p', incarnation: 'i', model: 'm', version, generation: 1, digest: '0'.repeat(64), arm: 'production' }
    publisher.value.say(servingLoadFailed, 'm', { ...served, kind: 'transient', stage: 'fetch', message: '' }, new Date())
  }
  return { say, published, attempts, metrics, stop: publisher.stop }
}

test('events are published in order, in batches', async () => {
  const { say, published } = setUp()
  for (const version of ['1', '2', '3', '4']) say(version)
  await until(() => published.flat().length === 4)
  expect(published.map((batch) => batch.length)).toEqual([3, 1])
  expect(published.flat().map(({ value }) => JSON.parse(String(value)).version)).toEqual(['1', '2', '3', '4'])
})

test('a log that is away is asked again until it takes them', async () => {
  const { say, published, attempts } = setUp({ fails: 2 })
  say('1')
  await until(() => published.length === 1)
  expect(attempts).toHaveLength(3)
})

test('after the last try a batch is dropped and counted, and the next goes on', async () => {
  const { say, published, metrics } = setUp({ fails: 2, tries: 2 })
  say('1')
  await until(async () => /reason="log".* 1\n/.test(await metrics.expose()))
  say('2')
  await until(() => published.length === 1)
  expect(String(published[0]?.[0]?.value)).toContain('"version":"2"')
})

test('what does not fit is dropped and counted', async () => {
  const { say, metrics } = setUp({ capacity: 2 })
  for (const version of ['1', '2', '3']) say(version)
  expect(await metrics.expose()).toMatch(/reason="full".* 1\n/)
})

test('stopping publishes what waits', async () => {
  const { say, published, stop } = setUp()
  say('1')
  await stop()
  expect(published).toHaveLength(1)
})
