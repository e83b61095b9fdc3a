import type { Offsets } from 'kafkajs'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { DeliveredRecord } from '../event-log.ts'
import { pauseFor } from '../signal.ts'

/** Commits the offsets of the membership that the client holds at the moment; rejects where that has ended. */
export type CommitOffsets = (offsets: Offsets) => Promise<void>

export interface GroupOffsets {
  received(record: DeliveredRecord): void
  /** Sends what is not committed yet, now, beside a commit in flight: the membership is about to end. */
  flush(): void
  /** The partition belongs to another member now, who will commit for it. */
  forget(topic: string, partition: number): void
  /** Resolves when all is committed, or after `withinMs`. */
  drain(withinMs: number): Promise<void>
}

const RETRY_MS = 500

/** Commits what was received: one commit in flight, what is received meanwhile goes into the next one, a failed one is repeated. */
export function createGroupOffsets(commit: CommitOffsets, log: Log): GroupOffsets {
  const pending = new Map<string, DeliveredRecord>()
  const giveUp = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let busy = false

  async function commitPending(): Promise<void> {
    const batch = [...pending.values()]
    await commit(offsetsOf(batch))
    for (const record of batch) {
      const key = keyOf(record)
      if (pending.get(key) === record) pending.delete(key)
    }
  }

  /** The last look and the end of the work are one step, so that nothing received between them is forgotten. */
  async function run(): Promise<void> {
    while (pending.size > 0 && !giveUp.signal.aborted) {
      try {
        await commitPending()
      } catch (error) {
        log.debug('Offsets could not be committed and are tried again', { reason: messageOf(error) })
        await pauseFor(RETRY_MS, giveUp.signal)
      }
    }
    busy = false
  }

  return {
    received(record) {
      pending.set(keyOf(record), record)
      if (busy) return
      busy = true
      running = run()
    },
    flush() {
      if (pending.size === 0) return
      commitPending().catch((error: unknown) => log.debug('Offsets could not be committed before a rebalance', { reason: messageOf(error) }))
    },
    forget: (topic, partition) => void pending.delete(`${topic}/${partition}`),
    async drain(withinMs) {
      const timer = setTimeout(() => giveUp.abort(), withinMs)
      await running
      clearTimeout(timer)
    },
  }
}

const keyOf = ({ topic, partition }: DeliveredRecord): string => `${topic}/${partition}`

function offsetsOf(records: readonly DeliveredRecord[]): Offsets {
  const byTopic = Map.groupBy(records, (record) => record.topic)
  const topics = [...byTopic].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition, offset }) => ({ partition, offset: String(offset + 1) })),
  }))
  return { topics }
}
