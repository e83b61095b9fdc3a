import { createLruCache } from '@millrace/platform/cache/lru.ts'
import { createMemoryRateLimiter } from '@millrace/platform/cache/memory-rate-limiter.ts'
import { newUuidV7 } from '@millrace/platform/clock.ts'
import { Lifetime, type Started } from '@millrace/platform/component.ts'
import { readConfig } from '@millrace/platform/config.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { createOnce } from '@millrace/platform/events/once.ts'
import { createPublish } from '@millrace/platform/events/outbox.ts'
import { startService, type WatchedDatabase, watchCommits } from '@millrace/platform/host.ts'
import type { ConditionalClient } from '@millrace/platform/http/client.ts'
import type { OutsideClient } from '@millrace/platform/http/outside-client.ts'
import { createServiceClient } from '@millrace/platform/http/undici-client.ts'
import { createOutsideClient } from '@millrace/platform/http/undici-outside-client.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Service } from '@millrace/platform/service.ts'
import { migrateService } from '@millrace/platform/sql/migrate.ts'
import { createMetrics, type Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { DataDirectory } from './data-directory.ts'
import { keptKeysIn } from './kept-keys.ts'
import { createServices, migrationsOf, servicesConfig } from './services.ts'
import { type ServiceName, type SharedParts, serviceNames, startSharedParts } from './shared-parts.ts'

export interface RunningMillrace {
  /** The gateway's. */
  readonly url: string
  readonly services: Readonly<Record<string, string>>
}

export interface MillraceOptions {
  readonly directory: DataDirectory
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** Told of every service as it is made. */
  readonly onService?: (service: Service) => void
  /** Calls the receivers of webhooks; the public internet alone by default. */
  readonly outside?: OutsideClient
}

const CACHE_BYTES = 64 * 1024 * 1024

type Urls = Partial<Record<ServiceName, string>>

/** All seven services in this process, each on a loopback port of its own, talking HTTP and events to one another as they would apart. */
export async function startMillrace(options: MillraceOptions): Promise<Started<RunningMillrace>> {
  const lifetime = new Lifetime()
  try {
    return { value: await startAll(options, lifetime), stop: () => lifetime.stop() }
  } catch (error) {
    await lifetime.stop().catch(() => undefined)
    throw error
  }
}

async function startAll(
  { directory, host, port, env, log, onService, outside = createOutsideClient() }: MillraceOptions,
  lifetime: Lifetime,
): Promise<RunningMillrace> {
  const config = readConfig(servicesConfig, { ...defaultsIn(directory), ...(await keptKeysIn(directory.root, env)), HOST: host, ...env })
  const shared = await startSharedParts(directory, log, lifetime)
  const urls: Urls = {}
  for (const name of serviceNames) {
    const { deps, database, metrics } = await prepareService(name, shared, urls, lifetime)
    const service = createServices[name]({ ...deps, outside, config, upstreams: upstreamsOf(urls) })
    onService?.(service)
    const address = name === 'gateway' ? { host, port } : { host: '127.0.0.1', port: 0 }
    const { eventLog, clock } = shared
    const started = startService({ service, ...address, database, eventLog, identity: deps.identity, log: deps.log, metrics, clock })
    urls[name] = (await lifetime.start(started)).url
  }
  const { gateway, ...inner } = urls
  return { url: gateway ?? '', services: inner }
}

const defaultsIn = (directory: DataDirectory): Record<string, string> => ({
  INFERENCE_CACHE_DIR: directory.inference,
  TRAINER_DATA_ROOTS: directory.datasets,
  TRAINER_BACKBONE_ROOTS: directory.backbones,
  TRAINER_SCRATCH: directory.scratch,
})

/** Everything that a service may ask for; each takes what it needs. */
async function prepareService(name: ServiceName, shared: SharedParts, urls: Urls, lifetime: Lifetime) {
  const { clock, eventLog, blobs } = shared
  const log = shared.log.child({ service: name })
  const metrics = createMetrics(name)
  const identity = shared.identityOf(name)
  const database: WatchedDatabase = watchCommits(shared.embedded.schema(name.replace('-', '_')))
  await migrateService(database, migrationsOf[name])
  const publish = createPublish({ source: `/millrace/${name}`, clock, newId: newUuidV7 })
  const clientOf = (audience: ServiceName): Promise<ConditionalClient> => connect(audience, { identity, log, metrics, urls }, lifetime)
  const [tracking, registry, promoter, trainer] = await Promise.all([clientOf('tracking'), clientOf('registry'), clientOf('promoter'), clientOf('trainer')])
  const stores = { blobs, cache: createLruCache({ maxBytes: CACHE_BYTES }), rateLimiters: createMemoryRateLimiter }
  const once = createOnce({ clock })
  const deps = { log, clock, newId: newUuidV7, metrics, identity, database, publish, once, ...stores, eventLog, tracking, registry, promoter, trainer }
  return { deps, database, metrics }
}

interface Connection {
  readonly identity: ReturnType<SharedParts['identityOf']>
  readonly log: Log
  readonly metrics: Metrics
  readonly urls: Urls
}

/** Its port is known once the sibling is up; until then a call is told to come back, and its caller's job does. */
function connect(audience: ServiceName, { identity, log, metrics, urls }: Connection, lifetime: Lifetime): Promise<ConditionalClient> {
  const baseUrl = (): string => {
    const url = urls[audience]
    if (!url) throw new AppError('TEMPORARILY_UNAVAILABLE', `${audience} is still starting: try again`)
    return url
  }
  return lifetime.start(createServiceClient({ baseUrl, audience, identity, log, metrics }))
}

const upstreamsOf = (urls: Urls) => {
  const of = (name: ServiceName) => (): readonly string[] => {
    const url = urls[name]
    return url ? [url] : []
  }
  return {
    tracking: of('tracking'),
    registry: of('registry'),
    promoter: of('promoter'),
    trainer: of('trainer'),
    inference: of('inference'),
    'drift-monitor': of('drift-monitor'),
  }
}
