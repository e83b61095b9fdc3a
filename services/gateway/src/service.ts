import { once } from 'node:events'
import type { RateLimiters } from '@millrace/platform/cache/rate-limiter.ts'
import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import type { ServiceTls } from '@millrace/platform/http/service-tls.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Service } from '@millrace/platform/service.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import { Agent } from 'undici'
import { createAuthenticate } from './access/authenticate.ts'
import { assertBindAllowed } from './access/bind.ts'
import { createKeyRing } from './access/key-ring.ts'
import { createRateLimit } from './access/rate-limit.ts'
import { type GatewayConfig, gatewayConfig } from './config.ts'
import { type UpstreamName, upstreamNames } from './domain/route-table.ts'
import { createForward } from './forward/forward.ts'
import { createPods, type Pods } from './forward/pods.ts'
import { createHandleRequest } from './handle-request.ts'
import { keyRoutes } from './local/keys.ts'
import { createLiveEvents, type LiveEvents } from './local/live-events.ts'
import { openApiRoute } from './local/openapi.ts'
import { pageRoutes } from './local/page.ts'
import { readyRoute } from './local/ready.ts'
import { createObserve } from './observe.ts'

export { gatewayConfig }

export interface GatewayDeps {
  readonly log: Log
  readonly clock: Clock
  readonly newId: NewId
  readonly metrics: Metrics
  /** The gateway's own schema, migrated. */
  readonly database: Database
  readonly eventLog: EventLog
  /** Signs for the user; must be that of the service named `gateway`. */
  readonly identity: ServiceIdentity
  /** Counts requests and failed attempts; gateways that share it share the limits. */
  readonly rateLimiters: RateLimiters
  /** Base URLs of each service (of every pod, for inference), asked at each request. */
  readonly upstreams: Readonly<Record<UpstreamName, () => readonly string[]>>
  /** To services at `https://` addresses. None for plain HTTP. */
  readonly tls?: ServiceTls | null
  readonly config: GatewayConfig
  /** The OpenAPI document of all services, where the host can tell it. */
  readonly describeApi?: () => object
}

export const migrations = new URL('../migrations/', import.meta.url)

const CONNECTIONS = 256
const CONNECT_TIMEOUT_MS = 2000
const KEYS_EVERY_MS = 10_000

/**
 * The one public port. Its direct handler answers every request but /health and, for those who may, /metrics, which are the host's.
 * `start` refuses to go on where the address can be reached by others and no key is configured.
 */
export function createGateway(deps: GatewayDeps): Service {
  const { config, database, clock, log, metrics, identity, newId } = deps
  const keys = createKeyRing({ database, clock, adminKey: config.MILLRACE_ADMIN_KEY })
  const authenticate = createAuthenticate({ keys, host: config.HOST, allowedHosts: config.GATEWAY_ALLOWED_HOSTS })
  const pods = openPods(deps)
  const probes = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS, ...deps.tls } })
  const live = createLiveEvents(deps.eventLog)
  const own = [readyRoute(deps.upstreams, probes), live.route, ...keyRoutes({ database, clock, log, keys }), ...openApiRoute(deps.describeApi)]
  const locals = [...pageRoutes(new URL('../public/', import.meta.url)), ...own]
  const forward = createForward({ identity, pods, config })
  const observe = createObserve({ log, metrics })
  const handle = createHandleRequest({
    authenticate,
    rateLimit: createRateLimit(deps.rateLimiters, config.GATEWAY_RATE_LIMIT),
    forward,
    locals,
    newId: createRequestIds(newId),
    log,
    observe,
  })
  return {
    name: 'gateway',
    routes: [],
    consumers: [],
    jobs: [
      { name: 'refresh-keys', everyMs: KEYS_EVERY_MS, run: async () => refreshKeys(keys) },
      { name: 'end-streams', everyMs: KEYS_EVERY_MS, run: (signal) => endStreamsOnStop(live, signal) },
    ],
    direct(request, response) {
      const path = request.url?.split('?')[0]
      if (path === '/health' || (path === '/metrics' && isAdmitted(authenticate, request))) return false
      handle(request, response)
      return true
    },
    readiness: async () => ({ ready: true, detail: {} }),
    async start() {
      await keys.reload()
      assertBindAllowed(config.HOST, keys.configured())
      await live.start()
    },
    async stop() {
      await live.stop()
      await keys.flush()
      await Promise.all([probes.destroy(), ...upstreamNames.map((name) => pods[name].stop())])
    },
  }
}

/** One id of the process and a count: drawing random bytes for every prediction would cost a tenth of the gateway's work. */
function createRequestIds(newId: NewId): NewId {
  const prefix = newId()
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}

async function refreshKeys(keys: ReturnType<typeof createKeyRing>): Promise<boolean> {
  await keys.flush()
  await keys.reload()
  return false
}

/** Jobs are stopped before the port closes, which waits for answers in progress: streams must end by then. */
async function endStreamsOnStop(live: LiveEvents, signal: AbortSignal): Promise<boolean> {
  if (!signal.aborted) await once(signal, 'abort')
  live.endStreams()
  return false
}

function isAdmitted(authenticate: ReturnType<typeof createAuthenticate>, request: Parameters<ReturnType<typeof createAuthenticate>>[0]): boolean {
  try {
    authenticate(request)
    return true
  } catch {
    return false
  }
}

function openPods({ upstreams, tls = null }: GatewayDeps): Record<UpstreamName, Pods> {
  const open = (name: UpstreamName): Pods => createPods({ list: upstreams[name], tls, connections: CONNECTIONS, connectTimeoutMs: CONNECT_TIMEOUT_MS })
  return {
    tracking: open('tracking'),
    registry: open('registry'),
    trainer: open('trainer'),
    promoter: open('promoter'),
    'drift-monitor': open('drift-monitor'),
    inference: open('inference'),
  }
}
