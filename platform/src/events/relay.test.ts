import { modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { trainingRequested } from '@millrace/contracts/events/training-events.ts'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { newUuidV7 } from '../clock.ts'
import type { Started } from '../component.ts'
import { AppError, TransientError } from '../errors.ts'
import { silentLog } from '../log.ts'
import type { Database } from '../sql/sql.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { fixedClock } from '../testing/fixed.ts'
import { freshDatabase } from '../testing/fresh-database.ts'
import { until } from '../testing/until.ts'
import { decodeRecord } from './cloudevents.ts'
import type { EventLog, LogRecord } from './event-log.ts'
import { createMemoryLog } from './memory.ts'
import { createPublish, notifyAfterCommit } from './outbox.ts'
import { createRelay, type Relay, type RelayDeps } from './relay.ts'

const clock = fixedClock()
const publish = createPublish({ source: '/test', clock, newId: newUuidV7 })
const deletion = (subject: string, version: number | string) => ({
  definition: modelVersionDeleted,
  subject,
  data: { model: subject, version: String(version), deletedBy: 'ann' },
})

const running: Started<Relay>[] = []
afterEach(async () => {
  for (const relay of running.splice(0)) await relay.stop()
})

function start(database: Database, eventLog: Pick<EventLog, 'publish'>, options: Partial<RelayDeps> = {}): Relay {
  const full = { ...createMemoryLog(), publish: eventLog.publish }
  const relay = createRelay({ database, eventLog: full, log: silentLog, metrics: createMetrics('test'), clock, pollMs: 5, ...options })
  running.push(relay)
  return relay.value
}

/** A log that collects what it was given, and does `before` first. */
function collector(before: (topic: string, records: readonly LogRecord[]) => void = () => undefined) {
  const sent: { topic: string; key: string | null; id: string; data: unknown }[] = []
  const collect = (topic: string, record: LogRecord): void => {
    const decoded = decodeRecord(record)
    if (decoded.kind !== 'event') throw new Error('the relay sent what cannot be read')
    sent.push({ topic, key: record.key, id: decoded.event.id, data: decoded.event.data })
  }
  return {
    sent,
    publish: async (topic: string, records: readonly LogRecord[]) => {
      before(topic, records)
      for (const record of records) collect(topic, record)
    },
  }
}

const versionsOf = (sent: readonly { key: string | null; data: unknown }[], key: string): unknown[] =>
  sent.filter((item) => item.key === key).map((item) => (item.data as { version: string }).version)
const pendingOf = async (database: Database): Promise<number> => (await database.query('select 1 as one from outbox where published_at is null')).length

test('each row is sent once, in order, to its topic, and marked', async () => {
  const database = await freshDatabase()
  const log = collector()
  start(database, log)
  const requested = { definition: trainingRequested, subject: 'job', data: { jobId: 'job', model: 'm', dataset: 'd', requestedBy: 'ann', cause: 'test' } }
  await database.transaction(async (tx) => {
    for (let version = 0; version < 5; version += 1) await publish(tx, deletion('fish', version))
    await publish(tx, requested)
  })
  await until(async () => (await pendingOf(database)) === 0)
  expect(versionsOf(log.sent, 'fish')).toEqual(['0', '1', '2', '3', '4'])
  expect(log.sent.filter((item) => item.topic === trainingRequested.topic)).toMatchObject([{ key: 'job', data: requested.data }])
  expect(log.sent).toHaveLength(6)
})

test('a wake after the commit sends at once, without waiting for the poll', async () => {
  const database = await freshDatabase()
  const log = collector()
  const relay = start(database, log, { pollMs: 3_600_000 })
  await until(async () => log.sent.length === 0)
  const watched = notifyAfterCommit(database, (commit) => commit.published && relay.wake())
  await watched.transaction((tx) => publish(tx, deletion('fish', 1)))
  await until(() => log.sent.length === 1)
})

test('while the log is away nothing is lost, and what was sent without an answer is sent again with the same id', async () => {
  const database = await freshDatabase()
  let failures = 3
  const ids = new Set<string>()
  const log = collector((_topic, records) => {
    for (const record of records) ids.add(record.headers['ce_id'] ?? '')
    if (failures-- > 0) throw new TransientError('no broker')
  })
  await database.transaction((tx) => publish(tx, deletion('fish', 1)))
  start(database, log)
  await until(() => log.sent.length === 1)
  expect(ids.size).toBe(1)
})

test('a row that the log refuses blocks its own key only, and goes out when the log takes it', async () => {
  const database = await freshDatabase()
  let poisoned = true
  const log = collector((_topic, records) => {
    const poison = records.some((record) => record.headers['ce_subject'] === 'poison' && String(record.value).includes('"bad"'))
    if (poison && poisoned) throw new AppError('PAYLOAD_TOO_LARGE', 'too large')
  })
  await database.transaction(async (tx) => {
    for (const [subject, version] of [
      ['a', '1'],
      ['poison', '0'],
      ['poison', 'bad'],
      ['b', '1'],
      ['poison', 'after'],
      ['a', '2'],
    ] as const) {
      await publish(tx, deletion(subject, version))
    }
  })
  start(database, log, { poisonPauseMs: 1_000 })
  await until(() => log.sent.length === 4)
  expect([versionsOf(log.sent, 'a'), versionsOf(log.sent, 'b'), versionsOf(log.sent, 'poison')]).toEqual([['1', '2'], ['1'], ['0']])
  expect(await database.query("select last_error from outbox where payload ->> 'version' = 'bad'")).toEqual([{ last_error: 'too large' }])
  poisoned = false
  clock.advance(2_000)
  await until(() => log.sent.length === 6)
  expect(versionsOf(log.sent, 'poison')).toEqual(['0', 'bad', 'after'])
})

test('rows published a week ago are dropped; pending ones never', async () => {
  const database = await freshDatabase()
  await database.transaction((tx) => publish(tx, deletion('old', 1)))
  const log = collector()
  start(database, log)
  await until(async () => (await pendingOf(database)) === 0)
  clock.advance(8 * 86_400_000)
  await until(async () => (await database.query('select 1 as one from outbox')).length === 0)
})

test('any mix of failures: every committed event arrives at least once, and those of a key first arrive in order', async () => {
  const database = await freshDatabase()
  const operation = fc.record({ key: fc.constantFrom('a', 'b', 'c'), hiddenFor: fc.nat({ max: 3 }), failure: fc.constantFrom('none', 'before', 'after') })
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), async (operations) => {
      await database.query('truncate outbox')
      const failures = operations.map((item) => item.failure)
      const collected = collector()
      const log = {
        publish: async (topic: string, records: readonly LogRecord[]) => {
          const failure = failures.shift() ?? 'none'
          if (failure === 'before') throw new TransientError('not sent')
          await collected.publish(topic, records)
          if (failure === 'after') throw new TransientError('sent, but nobody knows')
        },
      }
      const relay = start(lateCommits(database, operations), log, { pollMs: 1 })
      for (const [version, { key }] of operations.entries()) {
        await database.transaction((tx) => publish(tx, deletion(key, version)))
        relay.wake()
      }
      await until(async () => (await pendingOf(database)) === 0)
      await running.pop()?.stop()
      for (const key of ['a', 'b', 'c']) {
        const expected = operations.flatMap((item, version) => (item.key === key ? [String(version)] : []))
        expect([...new Set(versionsOf(collected.sent, key))]).toEqual(expected)
      }
    }),
    { numRuns: 15 },
  )
})

/**
 * Shows the relay what it would see with several writers: a row whose transaction commits late is invisible for some of its looks, although later rows of
 * other keys are there. (With row locks, rows of one key become visible in order.)
 */
function lateCommits(database: Database, operations: readonly { key: string; hiddenFor: number }[]): Database {
  const looks = new Map<string, number>()
  return {
    ...database,
    async query<Row extends object>(text: string, values?: readonly unknown[]) {
      const rows = await database.query<Row>(text, values)
      if (!text.includes('blockingkey')) return rows
      const hiddenKeys = new Set<unknown>()
      return rows.filter((row) => {
        const { payload, aggregateid }: { payload?: { version?: string }; aggregateid?: string } = row
        const version = payload?.version ?? ''
        const seen = looks.get(version) ?? 0
        looks.set(version, seen + 1)
        if (hiddenKeys.has(aggregateid) || seen < (operations[Number(version)]?.hiddenFor ?? 0)) hiddenKeys.add(aggregateid)
        return !hiddenKeys.has(aggregateid)
      })
    },
  }
}
