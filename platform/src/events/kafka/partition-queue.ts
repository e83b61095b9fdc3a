import type { Log } from '../../log.ts'
import type { DeliveredRecord, Receive } from '../event-log.ts'
import { fullJitterMs, pauseFor } from '../signal.ts'

export interface PartitionQueue {
  /** Records that were fetched and not yet received. */
  readonly waiting: number
  push(records: readonly DeliveredRecord[]): void
  /** Begins no further record until `release`; the one in hand goes on. */
  hold(): void
  release(): void
  /** Begins no further record ever, and tells the one in hand. */
  abort(): void
  /** Resolves when nothing is in hand. */
  settled(): Promise<void>
}

export interface PartitionQueueOptions {
  readonly receive: Receive
  readonly log: Log
  /** Resolves when an earlier queue of the same partition has let go of its record in hand. */
  readonly after: Promise<void>
  readonly onReceived: (record: DeliveredRecord) => void
}

/**
 * Hands the records of one partition to the receiver, one at a time and in order, outside the client's own calls: a receiver that takes minutes costs no
 * heartbeat, one that throws hurts nobody, and other partitions go on. A record whose receiver threw is delivered again after a pause.
 */
export function createPartitionQueue({ receive, log, after, onReceived }: PartitionQueueOptions): PartitionQueue {
  const aborting = new AbortController()
  const { signal } = aborting
  const records: DeliveredRecord[] = []
  let held = false
  let busy = false
  let running = after

  async function deliver(record: DeliveredRecord): Promise<boolean> {
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

  async function work(): Promise<void> {
    for (let record = records[0]; record && !held; record = records[0]) {
      if (!(await deliver(record))) break
      records.shift()
      onReceived(record)
    }
    busy = false
  }

  function begin(): void {
    if (busy || held || signal.aborted || records.length === 0) return
    busy = true
    running = running.then(work)
  }

  return {
    get waiting() {
      return records.length
    },
    push(added) {
      records.push(...added)
      begin()
    },
    hold() {
      held = true
    },
    release() {
      held = false
      begin()
    },
    abort: () => aborting.abort(),
    settled: () => running,
  }
}
