import type { Started } from '../component.ts'
import { AppError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { refuseInsideTransaction } from '../sql/sql.ts'
import type { DeliveredRecord, EventLog, LogRecord, Receive } from './event-log.ts'
import { createLease, type Lease } from './lease.ts'
import { createWakeSignal, fullJitterMs, pauseFor, type WakeSignal } from './signal.ts'

/** Where a log within one process keeps its records. Offsets of a topic only grow; there may be gaps. */
export interface LogStore {
  append(topic: string, records: readonly LogRecord[]): Promise<void>
  /** At most `limit` records at `from` or later. */
  read(topic: string, from: number, limit: number): Promise<DeliveredRecord[]>
  /** The offset after the newest record. */
  end(topic: string): Promise<number>
  count(topic: string, from: number): Promise<number>
  /** The next offset that the group will read; 0 for a new group. */
  committed(group: string, topic: string): Promise<number>
  commit(group: string, topic: string, next: number): Promise<void>
}

export interface LocalLogOptions {
  readonly store: LogStore
  readonly log: Log
  /** A publish wakes the readers at once; this is how often they look without one. */
  readonly pollMs: number
}

/** As Kafka's default, so that what fits here fits there. */
const MAX_RECORD_BYTES = 1024 * 1024
const READ_LIMIT = 100

interface Reader {
  readonly topic: string
  readonly receive: Receive
  readonly signal: AbortSignal
  /** Called after each record that was received. */
  readonly onReceived: (next: number) => void
  /** Called when everything there was at the time has been received. */
  readonly onIdle: (next: number) => void
}

function refuseOversized(topic: string, records: readonly LogRecord[]): void {
  for (const { key, value, headers } of records) {
    const sizeBytes = (value?.byteLength ?? 0) + Buffer.byteLength(key ?? '') + Buffer.byteLength(JSON.stringify(headers))
    if (sizeBytes > MAX_RECORD_BYTES) {
      throw new AppError('PAYLOAD_TOO_LARGE', `A record of ${sizeBytes} bytes for ${topic} is over the limit of ${MAX_RECORD_BYTES}: send less in one record`)
    }
  }
}

/** The `EventLog` within one process: one partition per topic, and publishers wake readers directly, so that delivery takes about a millisecond. */
export function createLocalLog({ store, log, pollMs }: LocalLogOptions): Started<EventLog> {
  const readers = new Map<string, Set<WakeSignal>>()
  const leases = new Map<string, Lease>()
  const stops = new Set<() => Promise<void>>()

  async function deliver(record: DeliveredRecord, { receive, signal }: Reader): Promise<boolean> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await receive(record, signal)
        return true
      } catch (error) {
        if (signal.aborted) return false
        log.error('A receiver threw; the record is delivered again', { topic: record.topic, offset: record.offset, failures, error })
        await pauseFor(20 + fullJitterMs(failures, 50, 5_000), signal)
      }
    }
    return false
  }

  async function readBatch(reader: Reader, next: number): Promise<readonly DeliveredRecord[] | null> {
    try {
      return await store.read(reader.topic, next, READ_LIMIT)
    } catch (error) {
      if (!reader.signal.aborted) log.warn('The event log cannot be read and is tried again', { topic: reader.topic, reason: messageOf(error) })
      await pauseFor(500, reader.signal)
      return null
    }
  }

  async function follow(reader: Reader, from: number): Promise<void> {
    const wake = createWakeSignal()
    const waiting = readers.get(reader.topic) ?? new Set()
    readers.set(reader.topic, waiting.add(wake))
    let next = from
    while (!reader.signal.aborted) {
      const records = await readBatch(reader, next)
      if (!records) continue
      for (const record of records) {
        if (!(await deliver(record, reader))) break
        next = record.offset + 1
        reader.onReceived(next)
      }
      if (records.length < READ_LIMIT && !reader.signal.aborted) {
        reader.onIdle(next)
        await wake.wait(pollMs, reader.signal)
      }
    }
    waiting.delete(wake)
  }

  /** One member of a group at a time holds a topic; the others take over when it leaves. */
  async function followInGroup(group: string, topic: string, receive: Receive, signal: AbortSignal): Promise<void> {
    const name = JSON.stringify([group, topic])
    const lease = leases.get(name) ?? createLease()
    leases.set(name, lease)
    if (!(await lease.acquire(signal))) return
    const committer = createCommitter((next) => store.commit(group, topic, next), log)
    try {
      const reader: Reader = { topic, receive, signal, onReceived: committer.commit, onIdle: () => undefined }
      await follow(reader, await startOffset(group, topic, signal))
      await committer.drain()
    } finally {
      lease.release()
    }
  }

  async function startOffset(group: string, topic: string, signal: AbortSignal): Promise<number> {
    for (;;) {
      try {
        return await store.committed(group, topic)
      } catch (error) {
        if (signal.aborted) return 0
        log.warn('The offset of a group cannot be read and is tried again', { group, topic, reason: messageOf(error) })
        await pauseFor(500, signal)
      }
    }
  }

  function started(run: (signal: AbortSignal) => Promise<unknown>): Started<null> {
    const stopping = new AbortController()
    const running = run(stopping.signal).catch((error: unknown) => log.error('A subscription ended', { error }))
    const stop = async (): Promise<void> => {
      stopping.abort()
      await running
      stops.delete(stop)
    }
    stops.add(stop)
    return { value: null, stop }
  }

  const value: EventLog = {
    async publish(topic, records) {
      refuseInsideTransaction('publishing to the event log')
      refuseOversized(topic, records)
      if (records.length === 0) return
      await store.append(topic, records)
      for (const reader of readers.get(topic) ?? []) reader.wake()
    },
    async subscribe({ group, topics, receive }) {
      return started((signal) => Promise.all(topics.map((topic) => followInGroup(group, topic, receive, signal))))
    },
    async broadcast({ topics, receive, caughtUp }) {
      const behind = new Map(await Promise.all(topics.map(async (topic) => [topic, await store.end(topic)] as const)))
      const settle = (topic: string, next: number, idle: boolean): void => {
        if (!idle && next < (behind.get(topic) ?? 0)) return
        if (behind.delete(topic) && behind.size === 0) caughtUp?.()
      }
      return started((signal) =>
        Promise.all(
          topics.map((topic) => {
            const onReceived = (next: number): void => settle(topic, next, false)
            return follow({ topic, receive, signal, onReceived, onIdle: (next) => settle(topic, next, true) }, 0)
          }),
        ),
      )
    },
    async readToEnd(topic) {
      const end = await store.end(topic)
      const all: DeliveredRecord[] = []
      for (let next = 0; next < end; ) {
        const records = await store.read(topic, next, 1000)
        if (records.length === 0) break
        all.push(...records.filter((record) => record.offset < end))
        next = (records.at(-1)?.offset ?? end) + 1
      }
      return all
    },
    async lag(group, topics) {
      const counts = topics.map(async (topic) => [topic, await store.count(topic, await store.committed(group, topic))] as const)
      return Object.fromEntries(await Promise.all(counts))
    },
  }
  return {
    value,
    async stop() {
      await Promise.all([...stops].map((stop) => stop()))
    },
  }
}

/** One commit in flight; what is handled meanwhile goes into the next one. */
function createCommitter(write: (next: number) => Promise<void>, log: Log): { commit: (next: number) => void; drain: () => Promise<void> } {
  let wanted = 0
  let written = 0
  let running: Promise<void> = Promise.resolve()
  let busy = false

  async function run(): Promise<void> {
    while (written < wanted) {
      const next = wanted
      await write(next)
      written = next
    }
  }

  return {
    commit(next) {
      wanted = next
      if (busy) return
      busy = true
      running = run()
        .catch((error: unknown) => log.warn('An offset could not be committed; its records may be delivered again', { reason: messageOf(error) }))
        .finally(() => {
          busy = false
        })
    },
    drain: () => running,
  }
}
