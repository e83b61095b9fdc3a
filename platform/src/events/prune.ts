import type { Database } from '../sql/sql.ts'

const DAY_MS = 86_400_000
const BATCH = 1000

interface Retention {
  readonly table: string
  readonly key: string
  readonly column: string
  readonly days: number
}

/** The inbox outlives the retention of every topic that is not kept for ever; readers of those that are rely on generations and business keys. */
const retentions: readonly Retention[] = [
  { table: 'outbox', key: 'seq', column: 'published_at', days: 7 },
  { table: 'inbox', key: 'ctid', column: 'processed_at', days: 60 },
  { table: 'idempotency', key: 'key', column: 'created_at', days: 7 },
]

/** Deletes old rows of the platform's tables, in small batches so that nobody waits long. Stops early when `signal` aborts. Returns how many. */
export async function pruneMessaging(database: Database, now: Date, signal: AbortSignal): Promise<number> {
  let total = 0
  for (const { table, key, column, days } of retentions) {
    const before = new Date(now.getTime() - days * DAY_MS)
    const text = `delete from ${table} where ${key} = any(array(select ${key} from ${table} where ${column} < $1 limit ${BATCH})) returning 1 as one`
    for (let deleted = BATCH; deleted === BATCH && !signal.aborted; total += deleted) deleted = (await database.query(text, [before])).length
  }
  return total
}
