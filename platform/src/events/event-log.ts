import type { Started } from '../component.ts'

/** A record as it travels: on Kafka the headers are record headers, binary CloudEvents (`ce_*`). A null value on a compacted topic is a tombstone. */
export interface LogRecord {
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

export interface DeliveredRecord extends LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: Date
}

/** Receives one record. It must not throw: a throw means a bug or infrastructure in the way, and the same record is delivered again after a pause. */
export type Receive = (record: DeliveredRecord, signal: AbortSignal) => Promise<void>

export interface EventLog {
  /** Resolves when every record is durable, in the given order per key. Rejects with `TransientError` when it is not known to be. Throws inside a transaction. */
  publish(topic: string, records: readonly LogRecord[]): Promise<void>
  /**
   * Shares the topics among all members of `group`: each record reaches one member, one at a time per partition and in order; the offset is committed after
   * `receive` resolved. A new group starts at the earliest record. `stop` lets the record in hand finish and commit.
   */
  subscribe(options: { group: string; topics: readonly string[]; receive: Receive }): Promise<Started<null>>
  /**
   * Every member gets every record from the earliest on, without shared offsets. `caughtUp` is called once, when all that was there at the start was received.
   */
  broadcast(options: { topics: readonly string[]; receive: Receive; caughtUp?: () => void }): Promise<Started<null>>
  /** Everything on the topic now, in order. On a compacted topic at least the newest record of each key. */
  readToEnd(topic: string): Promise<DeliveredRecord[]>
  /** Records not yet committed by the group, by topic. */
  lag(group: string, topics: readonly string[]): Promise<Readonly<Record<string, number>>>
}
