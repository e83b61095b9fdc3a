import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from './clock.ts'
import { Lifetime, type Started } from './component.ts'
import { messageOf } from './errors.ts'
import { startConsumer } from './events/consume.ts'
import type { EventLog } from './events/event-log.ts'
import { type Commit, notifyAfterCommit } from './events/outbox.ts'
import { measureOutbox } from './events/outbox-store.ts'
import { createRelay, type Relay, type RelayDeps } from './events/relay.ts'
import { createApp } from './http/app.ts'
import type { ServiceIdentity } from './http/identity.ts'
import { type Listening, startServer } from './http/server.ts'
import type { ServiceTls } from './http/service-tls.ts'
import { type Jobs, startJobs } from './jobs.ts'
import type { Log } from './log.ts'
import type { Service } from './service.ts'
import type { Database } from './sql/sql.ts'
import type { Metrics } from './telemetry/metrics.ts'

/** A database that tells the host when something was committed, so that relay and jobs need not wait for their next look. */
export interface WatchedDatabase extends Database {
  /** Without telling: for work that a commit itself set off. */
  readonly unwatched: Database
  follow(listener: (commit: Commit) => void): void
}

/** Wrap the database before the service is made of it; the host follows it once it has started. */
export function watchCommits(database: Database): WatchedDatabase {
  const listeners: ((commit: Commit) => void)[] = []
  const watched = notifyAfterCommit(database, (commit) => {
    for (const listener of listeners) listener(commit)
  })
  return { ...watched, unwatched: database, follow: (listener) => listeners.push(listener) }
}

/** Where several processes share a database: which of their relays is the active one, and how soon it sees what another process committed. */
export type HostRelay = Pick<RelayDeps, 'becomeActive' | 'isActive' | 'pollMs'>

export interface HostOptions {
  readonly service: Service
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Already migrated; null for a service that owns no tables. */
  readonly database: WatchedDatabase | null
  /** None where this process is the only one of its database. */
  readonly relay?: HostRelay
  readonly eventLog: EventLog
  readonly identity: ServiceIdentity
  /** Mutual TLS on the port; none for plain HTTP. */
  readonly tls?: ServiceTls | null
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  /** How long answers in progress may still take when stopping. Default 10 s. */
  readonly shutdownGraceMs?: number
  /** How long to keep serving after /ready turned 503, where a load balancer has to notice. Default 0. */
  readonly readinessDelayMs?: number
  /** Longest time for a JSON body to arrive, and longest standstill of an upload. Default 30 s. */
  readonly requestTimeoutMs?: number
  /** Opens the port only once the service is ready, or after this time: callers go to its siblings meanwhile. Default 0, at once. */
  readonly openWhenReadyMs?: number
}

const FINAL_PASS_MS = 2000

/**
 * Runs a service: its own parts, then relay, consumers, jobs, and the port last. `stop` goes the way that loses nothing: /ready says 503, consumers and jobs
 * finish what they hold, answers in progress are completed, what was committed is sent, the service's own parts end.
 * @throws AppError RESOURCE_CONFLICT when the port is taken; what had been started is stopped
 */
export async function startService(options: HostOptions): Promise<Started<Listening>> {
  const { service, log } = options
  const lifetime = new Lifetime()
  const draining = new AbortController()
  const value = await startParts(options, lifetime, draining.signal).catch(async (error: unknown) => {
    await lifetime.stop().catch((cause: unknown) => log.warn('a part did not stop after a failed start', { service: service.name, error: cause }))
    throw error
  })
  return {
    value,
    async stop() {
      draining.abort()
      await pause(options.readinessDelayMs ?? 0)
      await lifetime.stop()
    },
  }
}

async function startParts(options: HostOptions, lifetime: Lifetime, draining: AbortSignal): Promise<Listening> {
  const { service } = options
  await service.start?.()
  lifetime.onStop(async () => service.stop?.())
  const relay = startRelay(options, lifetime)
  // Registered before the consumers, because stopping goes backwards: the port outlives them although it opens last.
  let server: Started<Listening> | null = null
  lifetime.onStop(async () => server?.stop())
  const jobs = startJobs({ jobs: service.jobs, log: options.log, metrics: options.metrics })
  await startConsumers(options, lifetime, jobs)
  options.database?.follow((commit) => {
    if (commit.published) relay?.wake()
    jobs.value.wake()
  })
  await untilReady(service, options.openWhenReadyMs ?? 0, draining)
  server = await openPort(options, draining)
  return server.value
}

async function untilReady(service: Service, withinMs: number, draining: AbortSignal): Promise<void> {
  const until = performance.now() + withinMs
  const isReady = async (): Promise<boolean> => (await service.readiness()).ready
  while (performance.now() < until && !draining.aborted && !(await isReady().catch(() => false))) await pause(20)
}

function openPort(options: HostOptions, draining: AbortSignal): Promise<Started<Listening>> {
  const { service, host, port, tls = null, identity, log, metrics, requestTimeoutMs = 30_000, shutdownGraceMs = 10_000 } = options
  const app = createApp({ service, identity, log, metrics, draining, requestTimeoutMs })
  const onFault = (error: unknown) => log.error('the direct handler failed', { service: service.name, error })
  const own = { ...(service.direct ? { direct: service.direct } : {}), ...(service.publicTls ? { publicTls: service.publicTls } : {}) }
  return startServer({ host, port, tls, app, onFault, drainMs: shutdownGraceMs, ...own })
}

function startRelay(options: HostOptions, lifetime: Lifetime): Relay | null {
  const { database, eventLog, log, metrics, clock } = options
  if (!database) return null
  const relay = createRelay({ database: database.unwatched, eventLog, log, metrics, clock, ...options.relay })
  lifetime.onStop(async () => {
    await sendRest(database.unwatched, relay.value, log)
    await relay.stop()
  })
  return relay.value
}

/** What was committed last is sent before the process ends, as far as two seconds allow; the rest waits in the outbox for the next start. */
async function sendRest(database: Database, relay: Relay, log: Log): Promise<void> {
  const until = performance.now() + FINAL_PASS_MS
  try {
    while (performance.now() < until) {
      const { pending } = await measureOutbox(database)
      if (pending === 0) return
      relay.wake()
      await pause(10)
    }
  } catch (error) {
    log.warn('the outbox could not be looked at while stopping', { reason: messageOf(error) })
  }
}

async function startConsumers(options: HostOptions, lifetime: Lifetime, jobs: Started<Jobs>): Promise<void> {
  const { service, database, eventLog, log, metrics, clock } = options
  const running: Started<unknown>[] = [jobs]
  lifetime.onStop(async () => {
    await Promise.all(running.map((part) => part.stop()))
  })
  for (const consumer of service.consumers) {
    if (!database) throw new Error(`${service.name} has the consumer ${consumer.group} but no database to keep its inbox in`)
    running.push(await startConsumer({ consumer, database, eventLog, log, metrics, clock }))
  }
}
