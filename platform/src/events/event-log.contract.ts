import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Started } from '../component.ts'
import { insideTransaction } from '../sql/sql.ts'
import { until } from '../testing/until.ts'
import type { DeliveredRecord, EventLog, LogRecord } from './event-log.ts'

export interface OpenedLog {
  readonly eventLog: EventLog
  /** A topic that nobody used before; `compact` by its newest record per key. */
  newTopic(cleanup: 'delete' | 'compact'): Promise<string>
  close(): Promise<void>
}

const record = (key: string | null, value: string | null, headers: Record<string, string> = {}): LogRecord => ({
  key,
  value: value === null ? null : Buffer.from(value),
  headers,
})
const numbered = (from: number, to: number): LogRecord[] => Array.from({ length: to - from }, (_, index) => record('k', String(from + index)))
const textsOf = (records: readonly LogRecord[]): (string | undefined)[] => records.map((item) => item.value?.toString())
const range = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => String(from + index))

/** What every adapter of `EventLog` must keep. */
export function eventLogContract(name: string, open: () => Promise<OpenedLog>): void {
  describe(`${name} keeps the contract of EventLog`, () => {
    let opened: OpenedLog
    const subscriptions: Started<null>[] = []
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => {
      for (const subscription of subscriptions) await subscription.stop()
      await opened.close()
    })
    const context: Context = {
      log: () => opened.eventLog,
      newTopic: (cleanup = 'delete') => opened.newTopic(cleanup),
      async subscribe(group, topic, receive) {
        const subscription = await opened.eventLog.subscribe({ group, topics: [topic], receive })
        subscriptions.push(subscription)
        return subscription
      },
    }
    recordTests(context)
    groupTests(context)
    failureTests(context)
    broadcastTests(context)
  })
}

interface Context {
  log(): EventLog
  newTopic(cleanup?: 'delete' | 'compact'): Promise<string>
  subscribe(group: string, topic: string, receive: (record: DeliveredRecord, signal: AbortSignal) => Promise<void>): Promise<Started<null>>
}

const newGroup = (): string => `group-${randomUUID()}`

function recordTests({ log, newTopic, subscribe }: Context): void {
  test('bytes, keys, headers and tombstones come back as they went', async () => {
    const topic = await newTopic('compact')
    const bytes = Buffer.from([0, 1, 254, 255, 10, 34, 92])
    const sent = [{ key: 'bytes', value: bytes, headers: { a: 'ü "quoted" \\' } }, record('', '{"a":1.5}'), record('gone', null, { b: '' })]
    await log().publish(topic, sent)
    const read = await log().readToEnd(topic)
    expect(read.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(sent)
    const received: DeliveredRecord[] = []
    await subscribe(newGroup(), topic, async (item) => void received.push(item))
    await until(() => received.length === 3)
    expect(received).toEqual(read)
    expect(Buffer.isBuffer(received[0]?.value)).toBe(true)
    expect(received[0]?.timestamp).toBeInstanceOf(Date)
  })

  test('a record without a key comes back without one', async () => {
    // Not on a compacted topic: Kafka keeps the newest record per key there, and takes none without.
    const topic = await newTopic('delete')
    await log().publish(topic, [record(null, 'a'), record(null, 'b')])
    expect((await log().readToEnd(topic)).map(({ key, value }) => [key, value?.toString()])).toEqual([
      [null, 'a'],
      [null, 'b'],
    ])
  })

  test('records of a key keep their order over many publishes', async () => {
    const topic = await newTopic()
    for (let start = 0; start < 300; start += 100) await log().publish(topic, numbered(start, start + 100))
    const received: DeliveredRecord[] = []
    await subscribe(newGroup(), topic, async (item) => void received.push(item))
    await log().publish(topic, numbered(300, 350))
    await until(() => received.length === 350)
    expect(textsOf(received)).toEqual(range(0, 350))
    expect(textsOf(await log().readToEnd(topic))).toEqual(range(0, 350))
  })

  test('publishing nothing is nothing, and a topic without records reads as empty', async () => {
    const topic = await newTopic()
    await log().publish(topic, [])
    expect(await log().readToEnd(topic)).toEqual([])
  })

  test('publishing inside a transaction throws', async () => {
    const topic = await newTopic()
    await expect(insideTransaction(() => log().publish(topic, [record('k', 'v')]))).rejects.toThrow('inside a transaction')
  })

  test('a record over 1 MiB is refused, not tried for ever', async () => {
    const topic = await newTopic()
    await expect(log().publish(topic, [record('k', 'x'.repeat(1_100_000))])).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  })
}

function groupTests({ log, newTopic, subscribe }: Context): void {
  test('each group gets every record; a new group starts at the earliest', async () => {
    const topic = await newTopic()
    await log().publish(topic, numbered(0, 3))
    const first: DeliveredRecord[] = []
    const second: DeliveredRecord[] = []
    await subscribe(newGroup(), topic, async (item) => void first.push(item))
    await until(() => first.length === 3)
    await subscribe(newGroup(), topic, async (item) => void second.push(item))
    await until(() => second.length === 3)
    expect(textsOf(second)).toEqual(textsOf(first))
  })

  test('two members of a group share the records without duplicates, and one goes on when the other leaves', async () => {
    const topic = await newTopic()
    const group = newGroup()
    const received: DeliveredRecord[] = []
    const receive = async (item: DeliveredRecord): Promise<void> => void received.push(item)
    const leaving = await subscribe(group, topic, receive)
    await subscribe(group, topic, receive)
    await log().publish(topic, numbered(0, 50))
    await until(() => received.length >= 50)
    await leaving.stop()
    await log().publish(topic, numbered(50, 100))
    await until(() => received.length >= 100)
    expect(textsOf(received)).toEqual(range(0, 100))
  })

  test('a group that comes back resumes after what it had received', async () => {
    const topic = await newTopic()
    const group = newGroup()
    const received: DeliveredRecord[] = []
    const receive = async (item: DeliveredRecord): Promise<void> => void received.push(item)
    await log().publish(topic, numbered(0, 10))
    const before = await subscribe(group, topic, receive)
    await until(() => received.length === 10)
    await before.stop()
    await log().publish(topic, numbered(10, 20))
    await subscribe(group, topic, receive)
    await until(() => received.length >= 20)
    expect(textsOf(received)).toEqual(range(0, 20))
  })

  test('lag counts what the group has not committed', async () => {
    const topic = await newTopic()
    const group = newGroup()
    await log().publish(topic, numbered(0, 5))
    expect(await log().lag(group, [topic])).toEqual({ [topic]: 5 })
    const subscription = await subscribe(group, topic, async () => undefined)
    await until(async () => (await log().lag(group, [topic]))[topic] === 0)
    await subscription.stop()
    await log().publish(topic, numbered(5, 7))
    expect(await log().lag(group, [topic])).toEqual({ [topic]: 2 })
  })
}

function failureTests({ log, newTopic, subscribe }: Context): void {
  test('a record whose receiver threw is delivered again, before the next one', async () => {
    const topic = await newTopic()
    const seen: (string | undefined)[] = []
    await log().publish(topic, numbered(0, 3))
    await subscribe(newGroup(), topic, async ({ value }) => {
      seen.push(value?.toString())
      if (seen.length < 4 && value?.toString() === '1') throw new TypeError('a bug')
    })
    await until(() => seen.length === 5)
    expect(seen).toEqual(['0', '1', '1', '1', '2'])
  })

  test('stop lets the record in hand finish and commits it', async () => {
    const topic = await newTopic()
    const group = newGroup()
    const gate = Promise.withResolvers<void>()
    const finished: (string | undefined)[] = []
    let begun = false
    await log().publish(topic, numbered(0, 5))
    const subscription = await subscribe(group, topic, async ({ value }) => {
      begun = true
      await gate.promise
      finished.push(value?.toString())
    })
    await until(() => begun)
    const stopped = subscription.stop()
    gate.resolve()
    await stopped
    expect(finished).toEqual(['0'])
    expect(await log().lag(group, [topic])).toEqual({ [topic]: 4 })
  })

  test('a receiver that rejects because it is stopped leaves its record to the next start', async () => {
    const topic = await newTopic()
    const group = newGroup()
    let begun = false
    await log().publish(topic, numbered(0, 1))
    const subscription = await subscribe(group, topic, async (_item, signal) => {
      begun = true
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    })
    await until(() => begun)
    await subscription.stop()
    expect(await log().lag(group, [topic])).toEqual({ [topic]: 1 })
  })
}

function broadcastTests({ log, newTopic }: Context): void {
  test('every broadcast member gets every record, the late one too, and learns when it has caught up', async () => {
    const topic = await newTopic()
    await log().publish(topic, numbered(0, 5))
    const join = async (): Promise<{ received: DeliveredRecord[]; caughtUpAt: number[]; stop: () => Promise<void> }> => {
      const received: DeliveredRecord[] = []
      const caughtUpAt: number[] = []
      const member = await log().broadcast({
        topics: [topic],
        receive: async (item) => void received.push(item),
        caughtUp: () => caughtUpAt.push(received.length),
      })
      return { received, caughtUpAt, stop: member.stop }
    }
    const early = await join()
    await until(() => early.caughtUpAt.length === 1)
    await log().publish(topic, numbered(5, 8))
    const late = await join()
    await until(() => late.received.length === 8 && early.received.length === 8 && late.caughtUpAt.length === 1)
    expect(textsOf(late.received)).toEqual(range(0, 8))
    expect(textsOf(early.received)).toEqual(range(0, 8))
    expect(early.caughtUpAt).toEqual([5])
    expect(late.caughtUpAt).toEqual([8])
    await Promise.all([early.stop(), late.stop()])
  })

  test('a broadcast member of an empty topic has caught up at once', async () => {
    const topic = await newTopic()
    const caught = Promise.withResolvers<void>()
    const member = await log().broadcast({ topics: [topic], receive: async () => undefined, caughtUp: caught.resolve })
    await caught.promise
    await member.stop()
  })
}
