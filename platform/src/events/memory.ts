import { type Log, silentLog } from '../log.ts'
import type { DeliveredRecord, EventLog, LogRecord } from './event-log.ts'
import { createLocalLog } from './local-log.ts'
import type { LogStore } from './log-store.ts'

function createMemoryStore(): LogStore {
  const topics = new Map<string, DeliveredRecord[]>()
  const offsets = new Map<string, number>()
  const recordsOf = (topic: string): DeliveredRecord[] => {
    const records = topics.get(topic) ?? []
    topics.set(topic, records)
    return records
  }
  const copy = ({ key, value, headers }: LogRecord): LogRecord => ({ key, value: value === null ? null : Buffer.from(value), headers: { ...headers } })
  return {
    async append(topic, added) {
      const records = recordsOf(topic)
      for (const record of added) records.push({ ...copy(record), topic, partition: 0, offset: records.length, timestamp: new Date() })
    },
    read: async (topic, from, limit) =>
      recordsOf(topic)
        .slice(from, from + limit)
        .map((record) => ({ ...record, ...copy(record) })),
    end: async (topic) => recordsOf(topic).length,
    count: async (topic, from) => recordsOf(topic).length - from,
    committed: async (group, topic) => offsets.get(JSON.stringify([group, topic])) ?? 0,
    async commit(group, topic, next) {
      offsets.set(JSON.stringify([group, topic]), next)
    },
  }
}

/** An event log that ends with the process, for tests. Any topic exists; nothing is ever compacted or expires. */
export function createMemoryLog(options: { log?: Log } = {}): EventLog {
  return createLocalLog({ store: createMemoryStore(), log: options.log ?? silentLog, pollMs: 60_000 }).value
}
