import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Permission } from '@millrace/platform/access/permission.ts'
import type { RateLimiters } from '@millrace/platform/cache/rate-limiter.ts'
import type { Clock, NewId } from '@millrace/platform/clock.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import type { Access, ServiceIdentity } from '@millrace/platform/http/identity.ts'
import type { ServiceTls } from '@millrace/platform/http/service-tls.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Service } from '@millrace/platform/service.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import { Agent } from 'undici'
import type { Authenticate } from './access/authenticate.ts'
import { assertBindAllowed } from './access/bind.ts'
import type { KeyRing } from './access/key-ring.ts'
import { openAccess } from './access/open-access.ts'
import { createRateLimit } from './access/rate-limit.ts'
import { createAudit } from './audit/audit.ts'
import { CONNECT_TIMEOUT_MS, openUpstreams } from './balance/open-upstreams.ts'
import { type GatewayConfig, gatewayConfig } from './config.ts'
import { createDescribe } from './describe/describe.ts'
import type { UpstreamName } from './domain/route-table.ts'
import { createEdge } from './edge.ts'
import { createForward } from './forward/forward.ts'
import { createHandleRequest } from './handle-request.ts'
import { accessRoutes } from './local/access-routes.ts'
import { callsRoute } from './local/calls.ts'
import { keyRoutes } from './local/keys.ts'
import { createLiveEvents, type LiveEvents } from './local/live-events.ts'
import { mlflowPermissionRoutes } from './local/mlflow-permissions.ts'
import { mlflowUserRoutes } from './local/mlflow-users.ts'
import { openApiRoutes } from './local/openapi.ts'
import { pageRoutes } from './local/page.ts'
import { readyRoute } from './local/ready.ts'
import { servingModelRoutes } from './local/serving-models.ts'
import { createObserve } from './observe.ts'
import { openPublicTls } from './public-tls.ts'
import { createQuotas } from './quotas.ts'

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
  /** The name that a certificate at an address must hold for, where addresses are looked up by name. */
  readonly serverNameOf?: (origin: string) => string | undefined
  readonly config: GatewayConfig
}

export const migrations = new URL('../migrations/', import.meta.url)

const KEYS_EVERY_MS = 10_000

/**
 * The one public port. Its direct handler answers every request but /health and, for those who may, /metrics, which are the host's.
 * `start` refuses to go on where the address can be reached by others and no key is configured.
 */
export function createGateway(deps: GatewayDeps): Service {
  const { config, database, clock, log, metrics, identity, newId } = deps
  const probes = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS, ...deps.tls } })
  const access = openAccess({ ...deps, dispatcher: probes })
  const { keys, authenticate, sharing } = access
  const opened = openUpstreams({ upstreams: deps.upstreams, serverNameOf: deps.serverNameOf, tls: deps.tls ?? null, config, log, metrics, probes })
  const live = createLiveEvents(deps.eventLog)
  const audit = createAudit({ database, clock, log, metrics, keptDays: config.GATEWAY_AUDIT_DAYS })
  const describe = createDescribe({ upstreams: deps.upstreams, identity, dispatcher: probes })
  const own = [
    readyRoute(deps.upstreams, probes),
    live.route,
    ...keyRoutes({ database, clock, log, keys }),
    ...mlflowUserRoutes(sharing),
    ...mlflowPermissionRoutes(sharing),
    ...accessRoutes(sharing),
    callsRoute(database),
    ...servingModelRoutes({ pods: deps.upstreams.inference, identity, dispatcher: probes }),
    ...openApiRoutes(describe),
  ]
  const locals = [...pageRoutes(new URL('../public/', import.meta.url)), ...own]
  const retries = metrics.counter('gateway_retries_total', 'Requests sent to another pod, by the reason; no_budget: not sent.', ['upstream', 'reason'])
  const onRetry = (upstream: UpstreamName, reason: string): void => retries.add({ upstream, reason })
  const handle = createHandleRequest({
    edge: createEdge(config),
    authenticate,
    checkTold: access.checkTold,
    noteAnswered: access.noteAnswered,
    rateLimit: createRateLimit(deps.rateLimiters, config.GATEWAY_RATE_LIMIT),
    quotas: createQuotas(config.GATEWAY_QUOTAS, deps.rateLimiters),
    forward: createForward({ identity, upstreams: opened.upstreams, config, onRetry }),
    locals,
    newId: createRequestIds(newId),
    log,
    observe: createObserve({ log, metrics, audit, logPercent: config.GATEWAY_ACCESS_LOG_PERCENT }),
  })
  const publicTls = openPublicTls(config, log)
  return {
    name: 'gateway',
    routes: [],
    consumers: [],
    jobs: [
      { name: 'refresh-keys', everyMs: KEYS_EVERY_MS, run: async () => refreshKeys(keys) },
      { name: 'end-streams', everyMs: KEYS_EVERY_MS, run: (signal) => endStreamsOnStop(live, signal) },
      ...access.jobs,
      ...audit.jobs,
    ],
    ...(publicTls ? { publicTls } : {}),
    direct(request, response) {
      const path = request.url?.split('?')[0]
      if (path === '/health' || (path === '/metrics' && isAdmitted(authenticate, request))) return false
      handle(request, response)
      return true
    },
    directRoutes: () => locals.map(({ method, path, access, permission = permissionOfAccess(access) }) => ({ method, path, permission })),
    readiness: async () => ({ ready: true, detail: {} }),
    async start() {
      await access.load()
      assertBindAllowed(config.HOST, access.configured())
      await live.start()
      opened.start()
    },
    async stop() {
      await live.stop()
      await Promise.all([keys.flush(), audit.flush()])
      await opened.stop()
      await probes.destroy()
    },
  }
}

/** `public` and `admin` say all there is to say; the others need say of which resource. */
const permissionOfAccess = (access: Access): Permission | undefined => (access === 'public' || access === 'admin' ? access : undefined)

/** One id of the process and a count: drawing random bytes for every prediction would cost a tenth of the gateway's work. */
function createRequestIds(newId: NewId): NewId {
  const prefix = newId()
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}

async function refreshKeys(keys: KeyRing): Promise<boolean> {
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

/** By what memory tells at once: metrics are read with an API key. */
function isAdmitted(authenticate: Authenticate, request: IncomingMessage): boolean {
  try {
    const caller = authenticate(request)
    if (!(caller instanceof Promise)) return true
    caller.catch(() => undefined)
    return false
  } catch {
    return false
  }
}
