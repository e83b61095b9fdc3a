import type { Readiness, Service } from '../service.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type Route, route } from './route.ts'

const READINESS_TIMEOUT_MS = 2000

interface HealthDeps {
  readonly service: Pick<Service, 'name' | 'readiness'>
  readonly metrics: Metrics
  readonly draining: AbortSignal
}

/**
 * The three routes that every service serves without a token: `/health` (the event loop turns; never a dependency), `/ready` (503 while a part cannot work
 * or the service is stopping), `/metrics` (Prometheus text).
 */
export function createHealth(deps: HealthDeps): Route[] {
  const text = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  return [
    route({
      method: 'GET',
      path: '/health',
      access: 'public',
      permission: 'public',
      summary: 'Whether the process lives',
      handle: async () => ({ status: 200, headers: text, body: 'OK' }),
    }),
    route({
      method: 'GET',
      path: '/ready',
      access: 'public',
      permission: 'public',
      summary: 'Whether the service can do its work, part by part',
      handle: () => answerReady(deps),
    }),
    route({
      method: 'GET',
      path: '/metrics',
      access: 'public',
      permission: 'public',
      summary: 'Prometheus metrics',
      handle: async () => ({
        status: 200,
        headers: { ...text, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: await deps.metrics.expose(),
      }),
    }),
  ]
}

async function answerReady(deps: HealthDeps) {
  const { ready, detail } = deps.draining.aborted ? { ready: false, detail: { stopping: true } } : await askWithin(deps.service.readiness)
  return { status: ready ? 200 : 503, headers: { 'cache-control': 'no-store' }, body: { ready, service: deps.service.name, parts: detail } }
}

/** A part that hangs must not hang the probe. */
async function askWithin(readiness: Service['readiness']): Promise<Readiness> {
  const { promise, resolve } = Promise.withResolvers<Readiness>()
  const timer = setTimeout(() => resolve({ ready: false, detail: { timeoutMs: READINESS_TIMEOUT_MS } }), READINESS_TIMEOUT_MS)
  try {
    return await Promise.race([readiness(), promise])
  } catch {
    return { ready: false, detail: { failed: true } }
  } finally {
    clearTimeout(timer)
  }
}
