import type { Database } from '../sql/sql.ts'
import { encodeEvent } from './cloudevents.ts'
import type { LogRecord } from './event-log.ts'

export interface OutboxRow {
  readonly seq: number
  readonly id: string
  readonly aggregateid: string
  readonly type: string
  readonly topic: string
  readonly dataschema: string
  readonly payload: unknown
  readonly headers: Readonly<Record<string, string>>
  readonly occurred_at: Date
  /** Topic and subject: what a row that cannot be sent blocks. */
  readonly blockingkey: string
}

const BATCH = 500

/**
 * Pending rows by their mark, never by a cursor `seq > last`: sequence values commit out of order, and a cursor loses the late ones (18 % of them with 16
 * writers).
 */
export async function readPending(database: Database, blockedKeys: readonly string[]): Promise<OutboxRow[]> {
  return database.query<OutboxRow>(
    `select seq, id, aggregateid, type, topic, dataschema, payload, headers, occurred_at, topic || ' ' || aggregateid as blockingkey
      from outbox where published_at is null and topic || ' ' || aggregateid <> all($1::text[]) order by seq limit ${BATCH}`,
    [blockedKeys],
  )
}

export async function markPublished(database: Database, rows: readonly OutboxRow[], now: Date): Promise<void> {
  await database.query('update outbox set published_at = $2, attempts = attempts + 1, last_error = null where seq = any($1::int8[])', [
    rows.map((row) => row.seq),
    now,
  ])
}

export async function markFailed(database: Database, seq: number, reason: string): Promise<void> {
  await database.query('update outbox set attempts = attempts + 1, last_error = $2 where seq = $1', [seq, reason.slice(0, 1024)])
}

export async function measureOutbox(database: Database): Promise<{ pending: number; oldest: Date | null }> {
  const [row] = await database.query<{ pending: number; oldest: Date | null }>(
    'select count(*) as pending, min(occurred_at) as oldest from outbox where published_at is null',
  )
  return row ?? { pending: 0, oldest: null }
}

/** The record of a row. The sequence lets a reader see the order of the writer's commits. */
export function recordOf(row: OutboxRow): LogRecord {
  const { ce_source: source = '', ...rest } = row.headers
  const extensions = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name.replace(/^ce_/, ''), value]))
  const { id, type, dataschema, aggregateid: subject, occurred_at: time, payload: data } = row
  return encodeEvent({ id, source, type, subject, time, dataschema, data, extensions: { ...extensions, sequence: String(row.seq).padStart(20, '0') } })
}
