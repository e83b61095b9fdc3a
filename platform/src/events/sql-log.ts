import { deadLetterTopic, deadLetterTopicOf, type Topic } from '@millrace/contracts/events/topics.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Started } from '../component.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { migrate } from '../sql/migrate.ts'
import type { Database } from '../sql/sql.ts'
import type { DeliveredRecord, EventLog } from './event-log.ts'
import { createLocalLog } from './local-log.ts'
import type { LogStore } from './log-store.ts'
import { expireRecords } from './sql-log-retention.ts'

export interface SqlLogOptions {
  /** A schema of its own. */
  readonly database: Database
  readonly topics: Readonly<Record<string, Topic>>
  readonly log: Log
  readonly clock?: Clock
  /** Publishers wake readers; this is how often readers look without that. Default 1 s. */
  readonly pollMs?: number
  /** How often old records are dropped and compacted topics are compacted. Default 60 s. */
  readonly expireEveryMs?: number
}

interface RecordRow {
  readonly seq: number
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
  readonly at: Date
}

/** Rows appear in the order of `seq` because one connection writes them, one statement after another: that is what makes reading by offset lossless here. */
function createSqlStore(database: Database, topics: Readonly<Record<string, Topic>>, clock: Clock): LogStore {
  const delivered = (topic: string, { seq, key, value, headers, at }: RecordRow): DeliveredRecord => {
    return { topic, partition: 0, offset: seq, timestamp: at, key, value, headers }
  }
  return {
    async append(topic, records) {
      if (!topics[topic]) throw new Error(`there is no topic ${topic}: add it to the topics of the contracts`)
      const values = [
        topic,
        records.map((record) => record.key),
        records.map((record) => record.value),
        records.map((record) => JSON.stringify(record.headers)),
      ]
      await database.query(
        `insert into log_record (topic, key, value, headers, at)
          select $1, key, value, headers::jsonb, $5 from unnest($2::text[], $3::bytea[], $4::text[]) with ordinality as r (key, value, headers, place) order by place`,
        [...values, clock()],
      )
    },
    async read(topic, from, limit) {
      const text = 'select seq, key, value, headers, at from log_record where topic = $1 and seq >= $2 order by seq limit $3'
      return (await database.query<RecordRow>(text, [topic, from, limit])).map((row) => delivered(topic, row))
    },
    async end(topic) {
      const [row] = await database.query<{ seq: number }>('select seq from log_record where topic = $1 order by seq desc limit 1', [topic])
      return row ? row.seq + 1 : 0
    },
    async count(topic, from) {
      const [row] = await database.query<{ count: number }>('select count(*) as count from log_record where topic = $1 and seq >= $2', [topic, from])
      return row?.count ?? 0
    },
    async committed(group, topic) {
      const [row] = await database.query<{ next: number }>('select next_seq as next from log_offset where group_name = $1 and topic = $2', [group, topic])
      return row?.next ?? 0
    },
    async commit(group, topic, next) {
      await database.query(
        'insert into log_offset (group_name, topic, next_seq) values ($1, $2, $3) on conflict (group_name, topic) do update set next_seq = excluded.next_seq',
        [group, topic, next],
      )
    },
  }
}

function withDeadLetters(topics: Readonly<Record<string, Topic>>): Readonly<Record<string, Topic>> {
  return { ...Object.fromEntries(Object.keys(topics).map((topic) => [deadLetterTopicOf(topic), deadLetterTopic])), ...topics }
}

/** The event log of a host without Kafka: durable in the embedded database, for the readers and writers of this one process. */
export async function openSqlLog(options: SqlLogOptions): Promise<Started<EventLog>> {
  const { database, log, clock = systemClock, pollMs = 1_000, expireEveryMs = 60_000 } = options
  const topics = withDeadLetters(options.topics)
  await migrate(database, new URL('./log-migrations/', import.meta.url))
  const local = createLocalLog({ store: createSqlStore(database, topics, clock), log, pollMs })
  let expiring: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    expiring = expireRecords(database, topics, clock()).catch((error: unknown) => log.warn('Old records could not be dropped', { reason: messageOf(error) }))
  }, expireEveryMs)
  timer.unref()
  return {
    value: local.value,
    async stop() {
      clearInterval(timer)
      await local.stop()
      await expiring
    },
  }
}
