import type { Topic } from '@millrace/contracts/events/topics.ts'
import { expect, test } from 'vitest'
import { TransientError } from '../errors.ts'
import { silentLog } from '../log.ts'
import type { Database } from '../sql/sql.ts'
import { fixedClock } from '../testing/fixed.ts'
import { emptyDatabase } from '../testing/fresh-database.ts'
import { until } from '../testing/until.ts'
import { eventLogContract } from './event-log.contract.ts'
import { openSqlLog } from './sql-log.ts'
import { expireRecords } from './sql-log-retention.ts'

const topicOf = (cleanup: Topic['cleanup'], retentionMs: number | null = null): Topic => ({ cleanup, retentionMs, partitions: 1, writer: 'test' })
const pool: Record<string, Topic> = {}
for (let count = 0; count < 40; count += 1) Object.assign(pool, { [`delete-${count}`]: topicOf('delete'), [`compact-${count}`]: topicOf('compact') })

eventLogContract('the SQL log', async () => {
  const started = await openSqlLog({ database: await emptyDatabase(), topics: pool, log: silentLog })
  let used = 0
  return { eventLog: started.value, newTopic: async (cleanup) => `${cleanup}-${used++}`, close: started.stop }
})

const HOUR_MS = 3_600_000
const topics = { kept: topicOf('delete'), short: topicOf('delete', HOUR_MS), state: topicOf('compact') }
const record = (key: string, value: string | null) => ({ key, value: value === null ? null : Buffer.from(value), headers: {} })

test('old records are dropped where the topic says so, and a compacted topic keeps the newest of each key', async () => {
  const database = await emptyDatabase()
  const clock = fixedClock()
  const { value: eventLog, stop } = await openSqlLog({ database, topics, log: silentLog, clock })
  const textsOf = async (topic: string) => (await eventLog.readToEnd(topic)).map(({ key, value }) => `${key}=${value?.toString() ?? 'gone'}`)
  for (const topic of ['kept', 'short', 'short.dlq']) await eventLog.publish(topic, [record('a', '1')])
  await eventLog.publish('state', [record('a', '1'), record('b', '1'), record('a', '2'), record('b', null)])
  clock.advance(2 * HOUR_MS)
  await eventLog.publish('short', [record('a', '2')])
  await expireRecords(database, { ...topics }, clock())
  expect(await textsOf('kept')).toEqual(['a=1'])
  expect(await textsOf('short')).toEqual(['a=2'])
  expect(await textsOf('short.dlq')).toEqual(['a=1'])
  expect(await textsOf('state')).toEqual(['a=2', 'b=gone'])
  clock.advance(24 * HOUR_MS)
  await expireRecords(database, { ...topics }, clock())
  expect(await textsOf('state')).toEqual(['a=2'])
  await stop()
})

test('a topic that nobody declared is a mistake of the writer', async () => {
  const { value: eventLog, stop } = await openSqlLog({ database: await emptyDatabase(), topics, log: silentLog })
  await expect(eventLog.publish('unheard-of', [record('a', '1')])).rejects.toThrow('no topic unheard-of')
  await stop()
})

test('a log opened again has its records and its groups’ offsets', async () => {
  const database = await emptyDatabase()
  const received: string[] = []
  for (const round of ['1', '2']) {
    const { value: eventLog, stop } = await openSqlLog({ database, topics, log: silentLog })
    await eventLog.publish('kept', [record('a', round)])
    const receive = async ({ value }: { value: Buffer | null }): Promise<void> => void received.push(String(value))
    await eventLog.subscribe({ group: 'g', topics: ['kept'], receive })
    await until(() => received.includes(round))
    await stop()
  }
  expect(received).toEqual(['1', '2'])
})

test('readers wait out a database that fails for a while', async () => {
  const database = await emptyDatabase()
  const failures: Error[] = []
  const flaky: Database = {
    query: (text, values) => (failures[0] ? Promise.reject(failures[0]) : database.query(text, values)),
    transaction: (work) => database.transaction(work),
  }
  const { value: eventLog, stop } = await openSqlLog({ database: flaky, topics, log: silentLog, pollMs: 5 })
  const received: string[] = []
  await eventLog.subscribe({ group: 'g', topics: ['kept'], receive: async ({ value }) => void received.push(String(value)) })
  await eventLog.publish('kept', [record('a', '1')])
  await until(() => received.length === 1)
  failures.push(new TransientError('down'))
  await expect(eventLog.publish('kept', [record('a', 'lost')])).rejects.toThrow(TransientError)
  failures.pop()
  await eventLog.publish('kept', [record('a', '2')])
  await until(() => received.length === 2)
  expect(received).toEqual(['1', '2'])
  await stop()
})
