import type { Blobs } from '../blobs/blobs.ts'
import type { Cache } from '../cache/cache.ts'
import type { RateLimiters } from '../cache/rate-limiter.ts'
import { createRedisCache } from '../cache/redis.ts'
import { createRedisRateLimiters } from '../cache/redis-rate-limiter.ts'
import { type Clock, type NewId, newUuidV7, systemClock } from '../clock.ts'
import type { Lifetime } from '../component.ts'
import { AppError, messageOf } from '../errors.ts'
import type { EventLog } from '../events/event-log.ts'
import type { Once, Publish } from '../events/handler.ts'
import { createKafkaLog } from '../events/kafka/kafka-log.ts'
import { connectionFrom } from '../events/kafka/settings.ts'
import { createOnce } from '../events/once.ts'
import { createPublish } from '../events/outbox.ts'
import { createRelayLease, type RelayLease } from '../events/relay-lease.ts'
import { type HostRelay, type WatchedDatabase, watchCommits } from '../host.ts'
import type { ConditionalClient } from '../http/client.ts'
import type { ServiceIdentity } from '../http/identity.ts'
import type { ServiceTls } from '../http/service-tls.ts'
import { createServiceClient } from '../http/undici-client.ts'
import type { Log } from '../log.ts'
import { migrateService } from '../sql/migrate.ts'
import { openPostgres } from '../sql/postgres.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { inTurn } from './in-turn.ts'
import { openBlobs } from './open-blobs.ts'
import { openIdentity } from './open-identity.ts'
import { openTls, requireHttps } from './open-tls.ts'
import type { BlobsConfig, CacheConfig, DatabaseConfig, ProcessConfig } from './settings.ts'

/** What every service gets. */
export interface BaseParts {
  readonly log: Log
  readonly clock: Clock
  readonly newId: NewId
  readonly metrics: Metrics
  readonly identity: ServiceIdentity
  readonly eventLog: EventLog
}

export interface DatabaseParts {
  readonly database: WatchedDatabase
  readonly publish: Publish
  readonly once: Once
  /** Held by one process of the service at a time. */
  readonly lease: RelayLease
  readonly relay: HostRelay
}

/** Opens what a service asks for on the servers that its settings name. What was opened is stopped in reverse, databases last. */
export interface Adapters {
  readonly base: BaseParts
  /** Between services; null for plain HTTP. */
  readonly tls: ServiceTls | null
  openDatabase(config: DatabaseConfig, migrations: URL): Promise<DatabaseParts>
  openBlobs(config: BlobsConfig): Promise<Blobs>
  openCache(config: CacheConfig): Promise<Cache>
  /** Shared by all processes of the service. */
  openRateLimiters(config: CacheConfig): Promise<RateLimiters>
  /** A client of all processes of one service, asked in turn. */
  connect(audience: string, urls: readonly string[]): Promise<ConditionalClient>
}

interface Owner {
  readonly name: string
  readonly log: Log
  /** Stopped after `parts`. */
  readonly storage: Lifetime
  readonly parts: Lifetime
  /** Ends the process: its supervisor starts another one. */
  readonly onFatal: (error: Error) => void
}

export async function openAdapters(owner: Owner, config: ProcessConfig): Promise<Adapters> {
  const { name, log, parts } = owner
  const metrics = createMetrics(name)
  const identity = openIdentity(name, config)
  const tls = openTls(config)
  const connection = explained(() => connectionFrom(config, `millrace-${name}`))
  const eventLog = await parts.start(createKafkaLog({ connection, log: log.child({ part: 'kafka' }), metrics, onFatal: owner.onFatal }))
  const base: BaseParts = { log, clock: systemClock, newId: newUuidV7, metrics, identity, eventLog }
  return {
    base,
    tls,
    openDatabase: (database, migrations) => openDatabase(owner, base, database, migrations),
    openBlobs: (blobs) => parts.start(openBlobs(blobs, log)),
    openCache: ({ REDIS_URL: url }) => parts.start(createRedisCache({ url, keyPrefix: `millrace:${name}:`, log, metrics })),
    openRateLimiters: ({ REDIS_URL: url }) => parts.start(createRedisRateLimiters({ url, keyPrefix: `millrace:${name}:limit:`, log, metrics })),
    connect: (audience, urls) => {
      requireHttps(tls, urls)
      return parts.start(createServiceClient({ baseUrl: inTurn(urls), audience, identity, tls, log, metrics }))
    },
  }
}

async function openDatabase({ name, log, storage, parts }: Owner, base: BaseParts, config: DatabaseConfig, migrations: URL): Promise<DatabaseParts> {
  const { clock, newId, metrics } = base
  const address = { url: config.DATABASE_URL, schema: config.DATABASE_SCHEMA ?? name.replaceAll('-', '_') }
  const opened = await storage.start(openPostgres({ ...address, maxConnections: config.DATABASE_POOL_SIZE, log: log.child({ part: 'database' }), metrics }))
  if (config.DATABASE_MIGRATE) await migrateService(opened, migrations)
  const lease = await parts.start(createRelayLease({ ...address, log: log.child({ part: 'relay' }), metrics }))
  const publish = createPublish({ source: `/millrace/${name}`, clock, newId })
  return { database: watchCommits(opened), publish, once: createOnce({ clock }), lease, relay: { ...lease, pollMs: config.OUTBOX_POLL_MS } }
}

function explained<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new AppError('INVALID_PARAMETER_VALUE', messageOf(cause), { cause })
  }
}
