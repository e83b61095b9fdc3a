import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Database } from './sql.ts'

const EVERY_MS = 60_000
const CHECKPOINT_AFTER_BYTES = 64 * 1024 * 1024

/** Few enough dead rows do not repay the pause that a vacuum means to everyone who waits for the one connection. */
const BLOATED = `select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables
  where n_dead_tup > 5000 and n_dead_tup > n_live_tup / 5 order by n_dead_tup desc limit 3`

/** One round: a checkpoint when enough was written since the last one, and a vacuum of tables that are mostly dead rows. */
export function createUpkeepPass(database: Database, checkpointAfterBytes = CHECKPOINT_AFTER_BYTES): () => Promise<void> {
  let checkpointAt: number | null = null
  return async function upkeepPass() {
    const [position] = await database.query<{ bytes: number }>("select (pg_current_wal_lsn() - '0/0')::int8 as bytes")
    const bytes = position?.bytes ?? 0
    checkpointAt ??= bytes
    if (bytes - checkpointAt > checkpointAfterBytes) {
      await database.query('checkpoint')
      checkpointAt = bytes
    }
    for (const table of await database.query<{ name: string }>(BLOATED)) await database.query(`vacuum (analyze) ${table.name}`)
  }
}

/**
 * Does what PostgreSQL's background processes would: a lone backend never writes a checkpoint or vacuums by itself, so its write-ahead log (and the time
 * to recover from a crash) would grow without end.
 */
export function startUpkeep(database: Database, log: Log): () => void {
  const pass = createUpkeepPass(database)
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    void pass()
      .catch((error: unknown) => log.warn('Database upkeep failed and is tried again', { reason: messageOf(error) }))
      .finally(() => {
        busy = false
      })
  }, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
