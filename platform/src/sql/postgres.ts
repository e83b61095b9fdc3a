import { Client, Pool } from 'pg'
import type { Started } from '../component.ts'
import { TransientError } from '../errors.ts'
import { type Log, silentLog } from '../log.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { connectionConfig, describeAddress, type PostgresAddress, quoteIdentifier } from './postgres-connection.ts'
import { explainOpenFailure } from './postgres-errors.ts'
import { measurePool } from './postgres-metrics.ts'
import { borrowSession, type Session } from './postgres-session.ts'
import { runTransaction } from './postgres-transaction.ts'
import { createPreparedNames } from './prepared-names.ts'
import { type Database, refuseInsideTransaction } from './sql.ts'

export interface PostgresOptions extends PostgresAddress {
  /** Longest statement; the server cancels it. Default 60 s. */
  readonly statementTimeoutMs?: number
  /** Default 10. All processes together must stay below the server's `max_connections`. */
  readonly maxConnections?: number
  /** Longest wait for a connection, new or free. Default 5 s. */
  readonly connectTimeoutMs?: number
  /** How much longer than the statement's own timeout an answer may take, in a network that swallows packets. Default 5 s. */
  readonly answerGraceMs?: number
  readonly log?: Log
  readonly metrics?: Metrics
}

const STOP_GRACE_MS = 10_000
const IDLE_CONNECTION_MS = 30_000

/**
 * Opens a schema of a PostgreSQL server, made when it is missing. Nothing is retried here: a lost connection, a failover or a deadlock rejects the call in hand
 * with `TransientError`, and the next call connects anew. The process never ends with a connection.
 * @throws AppError INVALID_PARAMETER_VALUE, PERMISSION_DENIED; TransientError when the server does not answer
 */
export async function openPostgres(options: PostgresOptions): Promise<Started<Database>> {
  const { log = silentLog, metrics = createMetrics('postgres') } = options
  await ensureSchema(options)
  const pool = createPool(options)
  const { onLost, waited } = measurePool(pool, options.schema, metrics)
  // Both listeners keep the process alive: an 'error' that nobody listens to is thrown, of idle connections on the pool and of borrowed ones on the client.
  const onFault = (error: Error): void => {
    onLost()
    log.warn('A connection to PostgreSQL was lost; the next call opens another', { reason: error.message })
  }
  pool.on('error', onFault)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const prepared = createPreparedNames()
  let closed = false
  const borrow = async (): Promise<Session> => {
    if (closed) throw new TransientError('the database is closed')
    return waited(() => borrowSession(pool, prepared))
  }
  const close = createClose(pool)
  return {
    value: createDatabase(borrow, log),
    async stop() {
      closed = true
      await close()
    },
  }
}

function createDatabase(borrow: () => Promise<Session>, log: Log): Database {
  return {
    async query<Row extends object>(text: string, values?: readonly unknown[]) {
      refuseInsideTransaction('a query on the database itself')
      const session = await borrow()
      try {
        const { rows } = await session.run(text, values)
        // The row type is the caller's knowledge of its own query.
        return rows as Row[]
      } finally {
        session.end()
      }
    },
    async transaction(work) {
      refuseInsideTransaction('a second transaction')
      return runTransaction(borrow, work, log)
    },
  }
}

function createPool(options: PostgresOptions): Pool {
  const { statementTimeoutMs = 60_000, maxConnections = 10, connectTimeoutMs = 5_000, answerGraceMs = 5_000 } = options
  const settings = { statement_timeout: statementTimeoutMs, idle_in_transaction_session_timeout: statementTimeoutMs }
  return new Pool({
    ...connectionConfig(options, settings),
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    query_timeout: statementTimeoutMs + answerGraceMs,
  })
}

/** Waits for statements in progress; what takes longer than the grace is cut off. */
function createClose(pool: Pool): () => Promise<void> {
  const clients = new Set<Client>()
  pool.on('connect', (client) => client instanceof Client && clients.add(client))
  pool.on('remove', (client) => client instanceof Client && clients.delete(client))
  return async function close() {
    const cutOff = setTimeout(() => {
      for (const client of clients) void client.end().catch(() => undefined)
    }, STOP_GRACE_MS)
    await pool.end()
    clearTimeout(cutOff)
  }
}

/** Looks before it makes: a user that may not create schemas can still use one. The lock lets one of several processes make it. */
async function ensureSchema(options: PostgresOptions): Promise<void> {
  const { connectTimeoutMs = 5_000, schema } = options
  const client = new Client({ ...connectionConfig(options, { statement_timeout: 60_000 }), connectionTimeoutMillis: connectTimeoutMs })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const exists = async (): Promise<boolean> => (await client.query('select 1 from pg_namespace where nspname = $1', [schema])).rows.length > 0
    if (await exists()) return
    await client.query('begin')
    await client.query("select pg_advisory_xact_lock(hashtext('millrace schema'), hashtext($1))", [schema])
    if (!(await exists())) await client.query(`create schema ${quoteIdentifier(schema)}`)
    await client.query('commit')
  } catch (error) {
    throw explainOpenFailure(error, describeAddress(options.url))
  } finally {
    await client.end().catch(() => undefined)
  }
}
