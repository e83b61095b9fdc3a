import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createMemoryRateLimiter } from '@millrace/platform/cache/memory-rate-limiter.ts'
import type { RateLimiters } from '@millrace/platform/cache/rate-limiter.ts'
import { newUuidV7, systemClock } from '@millrace/platform/clock.ts'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import { createMemoryLog } from '@millrace/platform/events/memory.ts'
import { startService, watchCommits } from '@millrace/platform/host.ts'
import type { ServiceTls } from '@millrace/platform/http/service-tls.ts'
import { createKeyRing } from '@millrace/platform/http/signed-identity.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { createMetrics } from '@millrace/platform/telemetry/metrics.ts'
import { freshDatabase } from '@millrace/platform/testing/fresh-database.ts'
import { onTestFinished } from 'vitest'
import { type GatewayConfig, gatewayConfig } from '../config.ts'
import { type UpstreamName, upstreamNames } from '../domain/route-table.ts'
import { createGateway, migrations } from '../service.ts'

interface FixtureOptions {
  readonly config?: Partial<GatewayConfig>
  /** Pods per service; services that are not named answer with what they were asked. */
  readonly upstreams?: Partial<Record<UpstreamName, () => readonly string[]>>
  readonly eventLog?: EventLog
  readonly rateLimiters?: RateLimiters
  readonly tls?: ServiceTls
}

/** What an echoing service tells of a request. */
export interface Echo {
  readonly service: string
  readonly method: string
  readonly url: string
  readonly user: string
  readonly role: string
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: number
}

/** A service on a free port until the test ends. */
export async function startUpstream(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`
}

async function sizeOf(request: IncomingMessage): Promise<number> {
  let bytes = 0
  for await (const chunk of request) bytes += Buffer.from(chunk).length
  return bytes
}

/** The whole gateway on a free loopback port, in front of services that tell what reached them. */
export async function startGateway(options: FixtureOptions = {}) {
  const ring = createKeyRing(['gateway', ...upstreamNames])
  const echo = (service: UpstreamName): RequestListener => {
    const identity = ring.identityOf(service)
    return async function tellWhatCame(request, response) {
      const caller = await identity.verify(request.headers.authorization?.slice('Bearer '.length) ?? '').catch(() => ({ user: 'REFUSED', role: 'REFUSED' }))
      const { method, url, headers } = request
      const told = { service, method, url, headers, ...caller, bytes: await sizeOf(request).catch(() => -1) }
      response.writeHead(200, { 'content-type': 'application/json', 'x-powered-by': 'echo' }).end(JSON.stringify({ ...told, service }))
    }
  }
  const echoes = await Promise.all(upstreamNames.map(async (name) => [name, await startUpstream(echo(name))] as const))
  const origins = new Map<UpstreamName, string>(echoes)
  const listOf = (name: UpstreamName) => options.upstreams?.[name] ?? (() => [origins.get(name) ?? ''])
  const upstreams = {
    tracking: listOf('tracking'),
    registry: listOf('registry'),
    trainer: listOf('trainer'),
    promoter: listOf('promoter'),
    'drift-monitor': listOf('drift-monitor'),
    inference: listOf('inference'),
  }
  const database = watchCommits(await freshDatabase(migrations))
  const eventLog = options.eventLog ?? createMemoryLog()
  const ports = { log: silentLog, clock: systemClock, metrics: createMetrics('gateway'), database, eventLog, identity: ring.identityOf('gateway') }
  const { rateLimiters = createMemoryRateLimiter, tls = null } = options
  const config = { ...gatewayConfig.parse({}), ...options.config }
  const service = createGateway({
    ...ports,
    newId: newUuidV7,
    upstreams,
    rateLimiters,
    tls,
    config,
  })
  const started = await startService({ ...ports, service, host: '127.0.0.1', port: 0, shutdownGraceMs: 1000 })
  let stopping: Promise<void> | null = null
  const stop = (): Promise<void> => {
    stopping ??= started.stop()
    return stopping
  }
  onTestFinished(stop)
  const { url, port } = started.value
  return { url, port, database, stop, send: (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init) }
}
