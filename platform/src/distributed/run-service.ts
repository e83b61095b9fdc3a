import { hostname } from 'node:os'
import { Lifetime, type Started } from '../component.ts'
import { startService } from '../host.ts'
import type { Listening } from '../http/server.ts'
import { createLog, type Log } from '../log.ts'
import { run } from '../run.ts'
import type { Service } from '../service.ts'
import { withDatabaseReadiness } from './database-readiness.ts'
import { type Adapters, type DatabaseParts, openAdapters } from './open-adapters.ts'
import { openTracing } from './open-tracing.ts'
import { logLevelOf, type ProcessConfig } from './settings.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ServiceProgram<Config extends ProcessConfig> {
  readonly name: string
  /** Called by clients that have no certificate: the TLS files are for its own calls alone, and its port stays plain HTTP. */
  readonly isPublic?: boolean
  /** @throws AppError with everything that is missing or wrong */
  readonly readSettings: (env: Environment) => Config
  /** Opens what the service needs and makes it. */
  readonly create: (config: Config, adapters: Adapters) => Promise<Made>
}

interface Made {
  readonly service: Service
  /** As `openDatabase` gave it; null for a service that owns no tables. */
  readonly storage: DatabaseParts | null
  /** As in the host's options. */
  readonly openWhenReadyMs?: number
}

/** A service as a process of its own: settings from the environment, adapters in order, the port last; SIGTERM stops it and loses nothing. */
export function runService<Config extends ProcessConfig>(program: ServiceProgram<Config>): void {
  const instance = process.env['SERVICE_INSTANCE'] || hostname()
  const log = createLog({ level: logLevelOf(process.env) }).child({ service: program.name, instance })
  run(() => startProgram(program, instance, log), { log })
}

async function startProgram<Config extends ProcessConfig>(program: ServiceProgram<Config>, instance: string, log: Log): Promise<Started<Listening>> {
  const config = program.readSettings(process.env)
  const storage = new Lifetime()
  const parts = new Lifetime()
  const stop = (): Promise<void> => parts.stop().finally(() => storage.stop())
  try {
    await storage.start(openTracing(config, { service: program.name, instance, log: log.child({ part: 'tracing' }) }))
    const adapters = await openAdapters({ name: program.name, log, storage, parts, onFatal: endProcess }, config)
    const listening = await startMade(await program.create(config, adapters), config, program.isPublic ? { ...adapters, tls: null } : adapters, parts)
    log.info('service runs', { url: listening.url, pid: process.pid })
    return { value: listening, stop }
  } catch (error) {
    await stop().catch((cause: unknown) => log.warn('a part did not stop after a failed start', { error: cause }))
    throw error
  }
}

function startMade({ service, storage, openWhenReadyMs = 0 }: Made, config: ProcessConfig, { base, tls }: Adapters, parts: Lifetime): Promise<Listening> {
  const { eventLog, identity, log, metrics, clock } = base
  const options = { eventLog, identity, tls, log, metrics, clock, host: config.HOST, port: config.PORT }
  const limits = { readinessDelayMs: config.READINESS_DELAY_MS, shutdownGraceMs: config.SHUTDOWN_GRACE_MS, openWhenReadyMs }
  const database = storage?.database ?? null
  const watched = database ? withDatabaseReadiness(service, database) : service
  return parts.start(startService({ ...options, ...limits, service: watched, database, ...(storage ? { relay: storage.relay } : {}) }))
}

/** Thrown where nobody can catch it: the process ends, and its supervisor starts another. */
const endProcess = (error: Error): void => {
  queueMicrotask(() => {
    throw error
  })
}
