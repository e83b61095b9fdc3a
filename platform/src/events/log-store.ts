import type { DeliveredRecord, LogRecord } from './event-log.ts'

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
