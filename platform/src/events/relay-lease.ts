import { Client } from 'pg'
import type { Started } from '../component.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { connectionConfig, type PostgresAddress } from '../sql/postgres-connection.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { pauseFor } from './signal.ts'

export interface RelayLeaseOptions extends PostgresAddress {
  readonly log: Log
  readonly metrics: Metrics
  /** Pause between two tries to become the active one: how long a takeover takes at most. Default 500 ms. */
  readonly retryMs?: number
  /** Pause before trying again after a loss, so that one who waits goes first. Default three times `retryMs`. */
  readonly restMs?: number
  /** How often the connection that holds the lease is looked after. Default 5 s. */
  readonly checkMs?: number
}

/** One relay of a schema is active at a time. Both members are what `RelayDeps` asks for. */
export interface RelayLease {
  /** Resolves when this process holds the lease, or when `signal` aborts. */
  becomeActive(signal: AbortSignal): Promise<void>
  /** False from the moment on at which the connection that holds the lease is known to be lost. */
  isActive(): boolean
}

/**
 * The lease is an advisory lock of the schema on a connection of its own: PostgreSQL frees it with the connection, whatever ends it. It is tried for, not waited
 * for: a statement that waits holds a snapshot, and so keeps dead rows of the outbox from being removed. Not for proxies that share connections between
 * transactions.
 */
export function createRelayLease(options: RelayLeaseOptions): Started<RelayLease> {
  const { retryMs = 500, restMs = 3 * retryMs, schema, log } = options
  const active = options.metrics.gauge('outbox_relay_active', 'Whether this process sends the outbox of the schema', ['schema'])
  const stopped = new AbortController()
  let claim: Claim | null = null
  let held = false
  let pauseMs = 0

  const onLost = (reason: string): void => {
    claim = null
    pauseMs = restMs
    if (held) log.warn('The relay lost its lease and stops sending until it has it again', { schema, reason })
    held = false
    active.set({ schema }, 0)
  }
  async function attempt(): Promise<void> {
    try {
      claim ??= await openClaim(options, onLost)
      held = await claim.attempt()
    } catch (error) {
      log.warn('The lease of the relay cannot be asked for; trying again', { schema, reason: messageOf(error) })
    }
    active.set({ schema }, held ? 1 : 0)
    if (held) log.info('This relay is the active one', { schema })
    pauseMs = held ? 0 : retryMs * (0.75 + Math.random() / 2)
  }
  return {
    value: {
      isActive: () => held,
      async becomeActive(signal) {
        const ended = AbortSignal.any([signal, stopped.signal])
        while (!held && !ended.aborted) {
          if (pauseMs > 0) await pauseFor(pauseMs, ended)
          if (!ended.aborted) await attempt()
        }
      },
    },
    async stop() {
      stopped.abort()
      held = false
      await claim?.end()
    },
  }
}

/** A connection that has the lock or asks for it. */
interface Claim {
  attempt(): Promise<boolean>
  end(): Promise<void>
}

/** A server whose client is gone without a word finds out by itself, in about 25 s, and frees the lock. */
const SETTINGS = { tcp_keepalives_idle: 10, tcp_keepalives_interval: 5, tcp_keepalives_count: 3, statement_timeout: 5_000 }

/** `onLost` is called once, unless `end` came first. */
async function openClaim(options: RelayLeaseOptions, onLost: (reason: string) => void): Promise<Claim> {
  const { schema, checkMs = 5_000 } = options
  const client = new Client({ ...connectionConfig(options, SETTINGS), query_timeout: checkMs, connectionTimeoutMillis: 5_000 })
  let over = false
  const end = async (): Promise<void> => {
    over = true
    clearInterval(check)
    await client.end().catch(() => undefined)
  }
  const fail = (error: unknown): void => {
    if (!over) onLost(messageOf(error))
    void end()
  }
  const check = setInterval(() => void client.query('select 1').catch(fail), checkMs)
  client.on('error', fail)
  client.on('end', () => fail('the connection was closed'))
  try {
    await client.connect()
  } catch (error) {
    await end()
    throw error
  }
  return {
    async attempt() {
      const { rows } = await client.query("select pg_try_advisory_lock(hashtext('millrace relay'), hashtext($1)) as mine", [schema])
      return rows[0]?.mine === true
    },
    end,
  }
}
