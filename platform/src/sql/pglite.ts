import type { Started } from '../component.ts'
import { type Log, silentLog } from '../log.ts'
import { acquireDirectoryLock } from './directory-lock.ts'
import { type DiskGuard, noDiskGuard, startDiskGuard } from './disk-guard.ts'
import { type PgliteThread, startPgliteThread } from './pglite-thread.ts'
import { startUpkeep } from './pglite-upkeep.ts'
import { type Database, insideTransaction, refuseInsideTransaction, type Sql } from './sql.ts'
import { createTurns, type Turns } from './turns.ts'

/** Real PostgreSQL inside this process, for a machine that has none. */
export interface EmbeddedDatabase {
  /** A database of its own inside the one: everything runs with this schema as its search path. The schema is made at the first use. */
  schema(name: string): Database
}

export interface PgliteOptions {
  /** Where the data lives; null keeps it in memory. */
  readonly directory: string | null
  /** A file that new in-memory databases are taken from, made when it is missing: half a second instead of two. */
  readonly snapshot?: string
  readonly log?: Log
  /** A statement that takes longer means a stuck database. Default 60 s. */
  readonly statementTimeoutMs?: number
  /** Called once when the database can no longer answer: the process should end, and its next start recovers. */
  readonly onFatal?: (error: Error) => void
}

const STOP_GRACE_MS = 10_000
/** Everyone waits for a transaction to end: one that takes this long waits for something it must not wait for. */
const LONG_TRANSACTION_MS = 30_000

/**
 * Opens (or makes) the embedded database. It survives a crash of the process at any moment: what was committed is there again; it does not promise to
 * survive a loss of power. One process at a time: a lock file beside the directory says whose.
 * @throws AppError RESOURCE_CONFLICT another process has it open; STORAGE_FULL; PERMISSION_DENIED the directory cannot be written
 */
export async function openPglite(options: PgliteOptions): Promise<Started<EmbeddedDatabase>> {
  const { directory, log = silentLog, statementTimeoutMs = 60_000, onFatal = () => undefined } = options
  const releaseLock = directory === null ? () => undefined : acquireDirectoryLock(directory)
  const cleanUps = [releaseLock]
  const cleanUp = (): void => {
    for (const step of cleanUps.toReversed()) step()
  }
  try {
    const guard = directory === null ? noDiskGuard : await startDiskGuard(directory, log)
    cleanUps.push(guard.stop)
    const thread = await startPgliteThread({ directory, snapshot: options.snapshot ?? null, log, statementTimeoutMs, onFatal })
    const connection: Connection = { thread, turns: createTurns(), guard, log }
    const schema = (name: string): Database => schemaDatabase(connection, name)
    if (directory !== null) cleanUps.push(startUpkeep(schema('public'), log))
    return { value: { schema }, stop: () => close(connection).finally(cleanUp) }
  } catch (error) {
    cleanUp()
    throw error
  }
}

/** The one connection and who may use it. */
interface Connection {
  readonly thread: PgliteThread
  readonly turns: Turns
  readonly guard: DiskGuard
  readonly log: Log
}

async function close({ thread, turns }: Connection): Promise<void> {
  const grace = AbortSignal.timeout(STOP_GRACE_MS)
  const last = turns.close().then(() => thread.run({ kind: 'close' }))
  const tooLate = new Promise<void>((resolve) => grace.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([last.catch(() => undefined), tooLate])
  await thread.kill()
}

/** One connection: a statement or a transaction has it alone, in the order of asking. */
function schemaDatabase(connection: Connection, schema: string): Database {
  const { thread, turns, guard } = connection
  return {
    async query<Row extends object>(text: string, values?: readonly unknown[]) {
      refuseInsideTransaction('a query on the database itself')
      guard.check(text)
      const rows = await turns.take(() => thread.run({ kind: 'statement', schema, begin: false, text, values: values ?? null }))
      // The row type is the caller's knowledge of its own query.
      return rows as Row[]
    },
    transaction: (work) => {
      refuseInsideTransaction('a second transaction')
      return turns.take(() => runTransaction(connection, schema, work))
    },
  }
}

async function runTransaction<T>({ thread, guard, log }: Connection, schema: string, work: (tx: Sql) => Promise<T>): Promise<T> {
  let state: 'unused' | 'open' | 'over' = 'unused'
  const tx: Sql = {
    async query<Row extends object>(text: string, values?: readonly unknown[]) {
      if (state === 'over') throw new Error('a query on a transaction that is over: await every query inside it')
      guard.check(text)
      const begin = state === 'unused'
      state = 'open'
      const rows = await thread.run({ kind: 'statement', schema, begin, text, values: values ?? null })
      // The row type is the caller's knowledge of its own query.
      return rows as Row[]
    },
  }
  const end = async (kind: 'commit' | 'rollback'): Promise<void> => {
    const wasOpen = state === 'open'
    state = 'over'
    if (wasOpen) await thread.run({ kind })
  }
  const alarm = setTimeout(
    () => log.error('A transaction is still open; everything else waits for it', { schema, openMs: LONG_TRANSACTION_MS }),
    LONG_TRANSACTION_MS,
  )
  alarm.unref()
  try {
    const result = await insideTransaction(() => work(tx))
    await end('commit')
    return result
  } catch (error) {
    // A rollback fails only together with the database itself, which then has nothing of this transaction; the caller learns the first cause.
    await end('rollback').catch(() => undefined)
    throw error
  } finally {
    clearTimeout(alarm)
  }
}
