import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type Log, silentLog } from '../log.ts'
import type { DirectHandler, Readiness } from '../service.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { createApp } from './app.ts'
import type { Role } from './identity.ts'
import type { Route } from './route.ts'
import { startServer } from './server.ts'
import { createKeyRing } from './signed-identity.ts'

interface FixtureOptions {
  readonly direct?: DirectHandler
  readonly readiness?: () => Promise<Readiness>
  readonly draining?: AbortSignal
  readonly requestTimeoutMs?: number
  readonly log?: Log
}

/** Serves routes as the service `registry` on a free loopback port until the test ends. */
export async function serveRoutes(routes: readonly Route[], options: FixtureOptions = {}) {
  const { direct, readiness = async () => ({ ready: true, detail: {} }), log = silentLog, ...rest } = options
  const ring = createKeyRing(['gateway', 'registry', 'trainer'])
  const metrics = createMetrics('registry')
  const service = { name: 'registry', routes, consumers: [], jobs: [], readiness }
  const app = createApp({ service, identity: ring.identityOf('registry'), log, metrics, ...rest })
  const server = await startServer({ host: '127.0.0.1', port: 0, app, ...(direct ? { direct } : {}), drainMs: 200 })
  onTestFinished(() => server.stop())
  const tokenFor = async (role: Role = 'admin') => `Bearer ${await ring.identityOf('gateway').sign('registry', { user: 'ana', role })}`
  const send = async (path: string, init: RequestInit & { role?: Role } = {}): Promise<Response> =>
    fetch(`${server.value.url}${path}`, { ...init, headers: { authorization: await tokenFor(init.role), ...init.headers } })
  const postJson = (path: string, body: string, headers: Record<string, string> = {}) =>
    send(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
  return { ...server.value, ring, metrics, tokenFor, send, postJson }
}

export function recordingLog(): { log: Log; lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> | undefined }[] } {
  const lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> | undefined }[] = []
  const at = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    lines.push({ level, message, fields })
  }
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return { log, lines }
}

export const jsonOf = async (answer: Response): Promise<Record<string, unknown>> => z.record(z.string(), z.unknown()).parse(await answer.json())
