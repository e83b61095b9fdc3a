import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { DeliveredRecord, Receive } from './event-log.ts'
import type { LogStore } from './log-store.ts'
import { createWakeSignal, fullJitterMs, pauseFor, type WakeSignal } from './signal.ts'

const READ_LIMIT = 100
const STORE_PAUSE_MS = 500

export interface Reader {
  readonly topic: string
  readonly receive: Receive
  readonly signal: AbortSignal
  /** Called after each record that was received. */
  readonly onReceived: (next: number) => void
  /** Called when everything there was at the time has been received. */
  readonly onIdle: (next: number) => void
}

export interface Follower {
  /** Delivers the records of a topic from `from` on, until the reader's signal aborts. */
  follow(reader: Reader, from: number): Promise<void>
  /** There are new records on the topic. */
  wake(topic: string): void
}

/** One record at a time and in order; a record whose receiver throws is delivered again after a pause. */
export function createFollower(store: LogStore, log: Log, pollMs: number): Follower {
  const waiting = new Map<string, Set<WakeSignal>>()

  async function readBatch(reader: Reader, next: number): Promise<readonly DeliveredRecord[] | null> {
    try {
      return await store.read(reader.topic, next, READ_LIMIT)
    } catch (error) {
      if (!reader.signal.aborted) log.warn('The event log cannot be read and is tried again', { topic: reader.topic, reason: messageOf(error) })
      await pauseFor(STORE_PAUSE_MS, reader.signal)
      return null
    }
  }

  async function deliverAll(records: readonly DeliveredRecord[], from: number, reader: Reader): Promise<number> {
    let next = from
    for (const record of records) {
      if (!(await deliver(record, reader, log))) break
      next = record.offset + 1
      reader.onReceived(next)
    }
    return next
  }

  async function run(reader: Reader, from: number, wake: WakeSignal): Promise<void> {
    let next = from
    while (!reader.signal.aborted) {
      const records = await readBatch(reader, next)
      if (!records) continue
      next = await deliverAll(records, next, reader)
      if (records.length === READ_LIMIT || reader.signal.aborted) continue
      reader.onIdle(next)
      await wake.wait(pollMs, reader.signal)
    }
  }

  return {
    async follow(reader, from) {
      const wake = createWakeSignal()
      const readers = waiting.get(reader.topic) ?? new Set()
      waiting.set(reader.topic, readers.add(wake))
      await run(reader, from, wake).finally(() => readers.delete(wake))
    },
    wake(topic) {
      for (const reader of waiting.get(topic) ?? []) reader.wake()
    },
  }
}

/** Answers false when the reader is stopped before its receiver took the record. */
async function deliver(record: DeliveredRecord, { receive, signal }: Reader, log: Log): Promise<boolean> {
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
