import type { Log } from '../log.ts'
import type { Session } from './postgres-session.ts'
import { insideTransaction, type Sql } from './sql.ts'
import { createTurns } from './turns.ts'

/** It holds row locks and a connection: one that takes this long waits for something that it must not wait for. */
const LONG_TRANSACTION_MS = 30_000

/**
 * Runs `work` in a transaction. The connection is taken at its first statement: work that turns out to need none costs none. Statements of one transaction go
 * one after another, also where `work` does not wait for each.
 */
export async function runTransaction<T>(borrow: () => Promise<Session>, work: (tx: Sql) => Promise<T>, log: Log): Promise<T> {
  const turns = createTurns()
  let session: Session | null = null
  let over = false
  const tx: Sql = {
    query<Row extends object>(text: string, values?: readonly unknown[]) {
      if (over) return Promise.reject(new Error('a query on a transaction that is over: await every query inside it'))
      return turns.take(async () => {
        session ??= await begin(borrow)
        const { rows } = await session.run(text, values)
        // The row type is the caller's knowledge of its own query.
        return rows as Row[]
      })
    },
  }
  const alarm = setTimeout(() => log.error('A transaction is still open; its locks keep others waiting', { openMs: LONG_TRANSACTION_MS }), LONG_TRANSACTION_MS)
  alarm.unref()
  const end = async (statement: 'commit' | 'rollback'): Promise<void> => {
    over = true
    await turns.close()
    if (session) await finish(session, statement)
  }
  try {
    const result = await insideTransaction(() => work(tx))
    await end('commit')
    return result
  } catch (error) {
    // A rollback fails only together with the connection, which takes the transaction with it; the caller learns the first cause.
    if (!over) await end('rollback').catch(() => undefined)
    throw error
  } finally {
    clearTimeout(alarm)
  }
}

async function begin(borrow: () => Promise<Session>): Promise<Session> {
  const session = await borrow()
  try {
    await session.run('begin')
    return session
  } catch (error) {
    session.end()
    throw error
  }
}

async function finish(session: Session, statement: 'commit' | 'rollback'): Promise<void> {
  try {
    const { command } = await session.run(statement)
    // PostgreSQL answers the COMMIT of an aborted transaction with a silent ROLLBACK: the caller must not take it for a commit.
    if (statement === 'commit' && command !== 'COMMIT') throw new Error('the transaction was rolled back: an earlier statement in it had failed')
  } finally {
    session.end()
  }
}
