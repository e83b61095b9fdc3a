import { modelAliasChanged, modelVersionDeleted } from '@millrace/contracts/events/model-events.ts'
import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { TransientError } from '../errors.ts'
import { silentLog } from '../log.ts'
import type { Database } from '../sql/sql.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { currentTrace } from '../telemetry/tracing.ts'
import { fixedClock } from '../testing/fixed.ts'
import { freshDatabase } from '../testing/fresh-database.ts'
import { until } from '../testing/until.ts'
import { encodeEvent, type OutgoingEvent } from './cloudevents.ts'
import { createReceive, startConsumer } from './consume.ts'
import type { DeliveredRecord, EventLog, LogRecord } from './event-log.ts'
import { deadLetter, done, type Handle, on, skip } from './handler.ts'
import { createMemoryLog } from './memory.ts'

const clock = fixedClock('2026-01-01T00:00:10.000Z')
const topic = modelVersionDeleted.topic
const outgoing: OutgoingEvent = {
  id: 'e-1',
  source: '/test',
  type: modelVersionDeleted.type,
  subject: 'fish',
  time: new Date('2026-01-01T00:00:08.000Z'),
  dataschema: 'https://schemas.millrace.io/x',
  extensions: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  data: { model: 'fish', version: '1', deletedBy: 'ann' },
}
type Data = { model: string; version: string }

let database: Database
let eventLog: EventLog
let metrics: Metrics
const stopping = () => new AbortController()
beforeEach(async () => {
  database = await freshDatabase()
  await database.query('create table effect (version text)')
  eventLog = createMemoryLog()
  metrics = createMetrics('test')
})

const delivered = (record: LogRecord): DeliveredRecord => ({ ...record, topic, partition: 0, offset: 7, timestamp: new Date('2026-01-01T00:00:09.000Z') })
const receiver = (handle: Handle<Data>, log = eventLog) => {
  const consumer = { group: 'promoter', handlers: [on(modelVersionDeleted, handle)] }
  return createReceive({ consumer, database, eventLog: log, log: silentLog, metrics, clock })
}
const receive = (handle: Handle<Data>, record: LogRecord, signal = stopping().signal) => receiver(handle)(delivered(record), signal)
const applied: Handle<Data> = async (event, tx) => {
  await tx.query('insert into effect values ($1)', [event.data.version])
  return done
}
const effects = () => database.query('select version from effect')
const letters = () => eventLog.readToEnd(`${topic}.dlq`)
const counted = async (outcome: string): Promise<boolean> => (await metrics.expose()).includes(`outcome="${outcome}",service="test"} 1`)

test('an event is handled once, however often it is delivered', async () => {
  for (let delivery = 0; delivery < 3; delivery += 1) await receive(applied, encodeEvent(outgoing))
  expect(await effects()).toEqual([{ version: '1' }])
  expect(await counted('done')).toBe(true)
  expect(await metrics.expose()).toMatch(/^millrace_event_age_seconds_sum\{.*\} 6$/m)
})

test('another group, source or id is another event', async () => {
  await receive(applied, encodeEvent(outgoing))
  await receive(applied, encodeEvent({ ...outgoing, source: '/other' }))
  await receive(applied, encodeEvent({ ...outgoing, id: 'e-2' }))
  expect(await effects()).toHaveLength(3)
})

test('the handler continues the trace of the event', async () => {
  let traceId: string | undefined
  await receive(async () => {
    traceId = currentTrace()?.traceId
    return done
  }, encodeEvent(outgoing))
  expect(traceId).toBe('0af7651916cd43dd8448eb211c80319c')
})

test('what nobody handles is skipped and counted', async () => {
  await receive(applied, encodeEvent({ ...outgoing, type: modelAliasChanged.type }))
  await receive(applied, encodeEvent({ ...outgoing, data: null }))
  expect(await letters()).toEqual([])
  expect([await counted('unknown-type'), await counted('skip')]).toEqual([true, true])
})

test('a handler that skips is done with the event', async () => {
  let calls = 0
  const handle: Handle<Data> = async () => {
    calls += 1
    return skip('older than what we have')
  }
  await receive(handle, encodeEvent(outgoing))
  await receive(handle, encodeEvent(outgoing))
  expect([calls, await letters()]).toEqual([1, []])
})

test.each([
  ['a value that is not JSON', { ...encodeEvent(outgoing), value: Buffer.from([0xff, 0x7b]) }, 'Malformed'],
  ['a missing attribute', { ...encodeEvent(outgoing), headers: {} }, 'Malformed'],
  ['data that its schema refuses', encodeEvent({ ...outgoing, data: { model: 'fish' } }), 'SchemaInvalid'],
  ['an unknown major version', encodeEvent({ ...outgoing, type: 'io.millrace.modelversion.deleted.v2' }), 'UnknownMajor'],
])('%s goes to the dead letters with its original bytes', async (_what, record, kind) => {
  await receive(applied, record)
  const [letter] = await letters()
  expect(letter).toMatchObject({ key: record.key, value: record.value, headers: record.headers })
  expect(letter?.headers).toMatchObject({
    'dlq-original-topic': topic,
    'dlq-original-partition': '0',
    'dlq-original-offset': '7',
    'dlq-original-timestamp': '2026-01-01T00:00:09.000Z',
    'dlq-consumer-group': 'promoter',
    'dlq-error-class': kind,
    'dlq-attempts': '1',
    'dlq-failed-at': '2026-01-01T00:00:10.000Z',
    'dlq-redrive-count': '0',
  })
  expect([await effects(), await counted('dead-letter')]).toEqual([[], true])
})

test('what a handler refuses leaves no effects, and is a dead letter', async () => {
  const handle: Handle<Data> = async (event, tx) => {
    await applied(event, tx)
    return deadLetter('a version that never was')
  }
  await receive(handle, encodeEvent(outgoing))
  expect(await effects()).toEqual([])
  expect((await letters())[0]?.headers).toMatchObject({ 'dlq-error-message': 'a version that never was' })
})

test.each([
  ['TypeError', () => new TypeError('x is not a function')],
  ['ZodError', () => z.string().safeParse(1).error],
])('a %s in the handler is a bug: three attempts, then the dead letters', async (name, make) => {
  let attempts = 0
  await receive(async (event, tx) => {
    attempts += 1
    await applied(event, tx)
    throw make()
  }, encodeEvent(outgoing))
  expect([attempts, await effects()]).toEqual([3, []])
  expect((await letters())[0]?.headers).toMatchObject({
    'dlq-error-class': name,
    'dlq-attempts': '3',
    'dlq-error-stack': expect.stringContaining(name),
  })
})

test('an event that the database cannot store is a dead letter too, and holds up nobody', async () => {
  const statements = [
    ['select $1::text', 'a\0b'],
    ['select $1::int8', 'many'],
    ['insert into inbox (consumer) values ($1)', 'without its other columns'],
  ] as const
  for (const [statement, value] of statements) {
    await receive(
      async (_event, tx) => {
        await tx.query(statement, [value])
        return done
      },
      encodeEvent({ ...outgoing, id: statement }),
    )
  }
  expect((await letters()).map(({ headers }) => headers['dlq-attempts'])).toEqual(['3', '3', '3'])
})

test('infrastructure in the way is waited for, and never a dead letter', async () => {
  let attempts = 0
  await receive(async (event, tx) => {
    attempts += 1
    if (attempts <= 4) throw new TransientError('registry down')
    return applied(event, tx)
  }, encodeEvent(outgoing))
  expect([await effects(), await letters()]).toEqual([[{ version: '1' }], []])
})

test('stopping while it waits rejects, so that the record is not committed', async () => {
  const stop = stopping()
  const received = receive(
    async () => {
      stop.abort()
      throw new TransientError('registry down')
    },
    encodeEvent(outgoing),
    stop.signal,
  )
  await expect(received).rejects.toThrow()
  await receive(applied, encodeEvent(outgoing))
  expect(await effects()).toEqual([{ version: '1' }])
})

test('a record counts as done only when the dead-letter topic has it', async () => {
  let refusals = 2
  const flaky: EventLog = {
    ...eventLog,
    publish: (name, records) => (refusals-- > 0 ? Promise.reject(new TransientError('no broker')) : eventLog.publish(name, records)),
  }
  await receiver(applied, flaky)(delivered({ key: 'k', value: Buffer.from('{'), headers: {} }), stopping().signal)
  expect(await letters()).toHaveLength(1)
})

test('two handlers for one type in one consumer are a mistake', () => {
  const consumer = { group: 'g', handlers: [on(modelVersionDeleted, applied), on(modelVersionDeleted, applied)] }
  expect(() => createReceive({ consumer, database, eventLog, log: silentLog, metrics, clock })).toThrow('two handlers')
})

test('a consumer follows the topics of its handlers, and tells when it handled something', async () => {
  let handled = 0
  const consumer = { group: 'promoter', handlers: [on(modelVersionDeleted, applied)] }
  const started = await startConsumer({ consumer, database, eventLog, log: silentLog, metrics, clock, onHandled: () => (handled += 1) })
  await eventLog.publish(topic, [{ key: 'k', value: Buffer.from('poison'), headers: {} }, encodeEvent(outgoing)])
  await until(() => handled === 2)
  await started.stop()
  expect([await effects(), (await letters()).length, await eventLog.lag('promoter', [topic])]).toEqual([[{ version: '1' }], 1, { [topic]: 0 }])
})
