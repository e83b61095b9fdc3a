import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Started } from '../../component.ts'
import { TransientError } from '../../errors.ts'
import { silentLog } from '../../log.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { describeWith } from '../../testing/real-infrastructure.ts'
import { until } from '../../testing/until.ts'
import type { DeliveredRecord, EventLog } from '../event-log.ts'
import { connectionTo, newTopic, textRecord } from './broker.fixture.ts'
import { createClient } from './connection.ts'
import { createKafkaLog, type KafkaLogOptions } from './kafka-log.ts'
import { createMeters } from './meters.ts'
import { createPartitions } from './partitions.ts'
import { watchProgress } from './progress.ts'
import { defaultKafkaTiming } from './timing.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const newGroup = (): string => `group-${randomUUID()}`
const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`)
const textOf = ({ key, value }: DeliveredRecord): string => `${key}:${value?.toString()}`

describeWith('kafka', ({ KAFKA_BROKERS = '' }) => {
  const connection = connectionTo(KAFKA_BROKERS)
  const metrics = createMetrics('tests')

  function open(options: Partial<KafkaLogOptions> = {}): EventLog {
    const started = createKafkaLog({ connection, log: silentLog, metrics, onFatal: (error) => expect.unreachable(error.message), ...options })
    stops.push(started.stop)
    return started.value
  }

  test('a receiver that takes longer than the session keeps its partition, and the others go on meanwhile', async () => {
    const topic = await newTopic(connection, 6)
    const log = open({ timing: { sessionTimeoutMs: 2000, heartbeatIntervalMs: 400, maxWaitMs: 200 } })
    const received: string[] = []
    let attempts = 0
    await log.publish(
      topic,
      keys.map((key) => textRecord(key, '1')),
    )
    await log.subscribe({
      group: newGroup(),
      topics: [topic],
      async receive(record) {
        if (record.key === 'key-0') {
          attempts += 1
          await pause(5000)
        }
        received.push(textOf(record))
      },
    })
    await until(() => received.length > 1)
    expect(received).not.toContain('key-0:1')
    await until(() => received.length === keys.length)
    expect(attempts).toBe(1)
    expect(new Set(received)).toEqual(new Set(keys.map((key) => `${key}:1`)))
  })

  test('a receiver with a bug blocks its own partition alone, and neither the consumer nor the process', async () => {
    const topic = await newTopic(connection, 6)
    const log = open()
    const received: string[] = []
    let fixed = false
    let throws = 0
    await log.publish(
      topic,
      keys.map((key) => textRecord(key, '1')),
    )
    await log.subscribe({
      group: newGroup(),
      topics: [topic],
      async receive(record) {
        if (record.key === 'key-0' && !fixed) {
          throws += 1
          throw new TypeError('cannot read properties of undefined')
        }
        received.push(textOf(record))
      },
    })
    await until(() => throws > 5 && received.length > 0)
    fixed = true
    await until(() => received.length === keys.length)
    expect(received.filter((text) => text === 'key-0:1')).toHaveLength(1)
  })

  test('members come and go: every record is received, in order per key, and what is repeated is the same', async () => {
    const topic = await newTopic(connection, 4)
    const group = newGroup()
    const received: Record<string, number[]> = {}
    const receive = async ({ key, value }: DeliveredRecord): Promise<void> => {
      await pause(1)
      received[key ?? ''] = [...(received[key ?? ''] ?? []), Number(value)]
    }
    const timing = { heartbeatIntervalMs: 300, maxWaitMs: 100 }
    const [first, second] = [open({ timing }), open({ timing })]
    await first.subscribe({ group, topics: [topic], receive })
    let leaving: Started<null> | null = null
    for (let round = 0; round < 60; round += 1) {
      await first.publish(
        topic,
        keys.map((key) => textRecord(key, String(round))),
      )
      if (round === 15) leaving = await second.subscribe({ group, topics: [topic], receive })
      if (round === 45) await leaving?.stop()
      await pause(50)
    }
    const distinct = (): number => Object.values(received).reduce((sum, values) => sum + new Set(values).size, 0)
    await until(() => distinct() === 60 * keys.length)
    for (const key of keys) {
      const firstSeen = [...new Set(received[key])]
      expect(firstSeen).toEqual(firstSeen.toSorted((a, b) => a - b))
    }
    await until(async () => (await first.lag(group, [topic]))[topic] === 0)
    expect(await metrics.expose()).toMatch(/kafka_client_events_total\{[^}]*event="rebalance"[^}]*\} [1-9]/)
  })

  test('more than the broker takes at once is sent in parts, in order', async () => {
    const topic = await newTopic(connection, 1)
    const log = open()
    const filler = 'x'.repeat(20_000)
    const sent = Array.from({ length: 300 }, (_, index) => textRecord('k', `${index} ${filler}`))
    await log.publish(topic, sent)
    const read = await log.readToEnd(topic)
    expect(read.map(({ value }) => value?.toString().split(' ')[0])).toEqual(sent.map((_, index) => String(index)))
  })

  test('a backlog larger than what may wait is received completely and in order', async () => {
    const topic = await newTopic(connection, 1)
    const log = open()
    // Several fetches of 1 MiB each.
    await log.publish(
      topic,
      Array.from({ length: 10_000 }, (_, index) => textRecord('k', String(index).padEnd(500))),
    )
    const received: string[] = []
    const opened = Promise.withResolvers<void>()
    const receive = async (record: DeliveredRecord): Promise<void> => {
      await opened.promise
      received.push(String(record.value).trim())
    }
    await log.subscribe({ group: newGroup(), topics: [topic], receive })
    await pause(1500)
    opened.resolve()
    await until(() => received.length >= 10_000)
    expect(received).toEqual(Array.from({ length: 10_000 }, (_, index) => String(index)))
  })

  test('a consumer that its broker refuses for good is fatal', async () => {
    const topic = await newTopic(connection, 1)
    const fatal = Promise.withResolvers<Error>()
    const log = open({ timing: { sessionTimeoutMs: 7_200_000 }, onFatal: fatal.resolve })
    await log.subscribe({ group: newGroup(), topics: [topic], receive: async () => undefined })
    expect((await fatal.promise).message).toMatch(/session timeout/i)
  })

  test('a client that fetches no more although there are records is fatal', async () => {
    const topic = await newTopic(connection, 1)
    await open().publish(topic, [textRecord('k', '1')])
    const stuck = Promise.withResolvers<Error>()
    const partitions = createPartitions({ receive: async () => undefined, log: silentLog, onReceived: () => undefined })
    partitions.assign({ [topic]: [0] })
    const timing = { ...defaultKafkaTiming, measureEveryMs: 200, watchdogMs: 600 }
    const client = createClient(connection, silentLog, timing)
    const meters = createMeters(metrics, 'stuck')
    const watching = watchProgress({
      client,
      groupId: newGroup(),
      commits: true,
      topics: [topic],
      partitions,
      meters,
      timing,
      log: silentLog,
      onStuck: stuck.resolve,
    })
    stops.push(watching.stop)
    expect((await stuck.promise).message).toContain(`${topic}/0 has stood still at 0 of 1`)
    expect(await metrics.expose()).toMatch(new RegExp(`consumer_lag\\{[^}]*topic="${topic}"[^}]*\\} 1`))
  })

  test('a topic that does not exist yet is waited for', async () => {
    const log = open()
    const received: string[] = []
    const topic = `later-${randomUUID()}`
    await log.subscribe({ group: newGroup(), topics: [topic], receive: async (record) => void received.push(textOf(record)) })
    await newTopic(connection, 1, 'delete', topic)
    await log.publish(topic, [textRecord('k', '1')])
    await until(() => received.length === 1)
  })
})

test('without a broker, publishing is reported as transient, followers start, and all of it stops', async () => {
  const nowhere = connectionTo('127.0.0.1:1')
  const { value: log, stop } = createKafkaLog({
    connection: nowhere,
    log: silentLog,
    timing: { publishTimeoutMs: 300, connectionTimeoutMs: 200 },
    onFatal: (error) => expect.unreachable(error.message),
  })
  const receive = async (): Promise<void> => expect.unreachable('nothing can come')
  await log.subscribe({ group: newGroup(), topics: ['t'], receive })
  await log.broadcast({ topics: ['t'], receive })
  await expect(log.publish('t', [textRecord('k', 'v')])).rejects.toThrow(TransientError)
  await expect(log.readToEnd('t')).rejects.toThrow(TransientError)
  await expect(log.lag('g', ['t'])).rejects.toThrow(TransientError)
  await stop()
})
