import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLog } from '@millrace/platform/events/event-log.ts'
import { createKafkaLog } from '@millrace/platform/events/kafka/kafka-log.ts'
import { createIdentity } from '@millrace/platform/http/signed-identity.ts'
import { silentLog } from '@millrace/platform/log.ts'
import { openPostgres } from '@millrace/platform/sql/postgres.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { type ServiceName, serviceNames } from '../../cluster/plan.ts'
import { generateServiceKeys } from '../../keys/service-keys.ts'
import { type Client, createClient } from './client.ts'
import { connectionTo, freshLog } from './fresh-log.ts'
import { type Infrastructure, requireSetting, startInfrastructure } from './infrastructure.ts'
import { describeProcess, type ServiceProcess } from './service-process.ts'

export interface PlatformOptions {
  /** Processes to start, such as `inference-2`; the part before the number names the service. */
  readonly processes: readonly string[]
  /** Settings of all processes, or by the name of one. */
  readonly env?: Readonly<Record<string, string>>
  readonly envOf?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Services as processes of their own, with an empty database, empty topics and an empty part of the bucket. */
export interface Platform {
  readonly infrastructure: Infrastructure
  readonly client: Client
  /** A connection to the database of the services, which see a schema each. */
  readonly database: Database
  readonly eventLog: EventLog
  /** For files of the test. */
  readonly directory: string
  process(name: string): ServiceProcess
  readonly processes: readonly ServiceProcess[]
  stop(): Promise<void>
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

const serviceOf = (name: string): ServiceName => {
  const service = serviceNames.find((candidate) => name.replace(/-\d+$/, '') === candidate)
  if (!service) throw new Error(`${name} is no process of a service: expected ${serviceNames.join(', ')}, followed by a number`)
  return service
}

/** A database of its own: dropped by nobody, the server goes with the tests. */
async function freshDatabase(url: string): Promise<string> {
  const name = `fault_${randomUUID().slice(0, 8)}`
  const admin = await openPostgres({ url, schema: 'public', maxConnections: 1 })
  await admin.value.query(`create database ${name}`)
  await admin.stop()
  const own = new URL(url)
  own.pathname = `/${name}`
  return own.href
}

/** Starts nothing yet but the servers. */
async function prepare(directory: string, { processes: names, env = {}, envOf = {} }: PlatformOptions, infrastructure: Infrastructure) {
  const [databaseUrl] = await Promise.all([
    freshDatabase(requireSetting(infrastructure.env, 'DATABASE_URL')),
    freshLog(requireSetting(infrastructure.env, 'KAFKA_BROKERS')),
  ])
  const { privateKeys, publicKeys } = generateServiceKeys(serviceNames)
  const addresses = await Promise.all(names.map(async (name) => ({ name, service: serviceOf(name), port: await freePort() })))
  const nobody = `http://127.0.0.1:${await freePort()}`
  const urls = Object.fromEntries(
    serviceNames.map((service) => {
      const own = addresses.filter((address) => address.service === service).map(({ port }) => `http://127.0.0.1:${port}`)
      return [`${service.toUpperCase().replaceAll('-', '_')}_URLS`, own.length > 0 ? own.join(',') : nobody]
    }),
  )
  const shared = { ...infrastructure.env, DATABASE_URL: databaseUrl, S3_PREFIX: `${randomUUID()}/`, SERVICE_PUBLIC_KEYS: JSON.stringify(publicKeys), ...urls }
  const processes = addresses.map(({ name, service, port }) => {
    const own = { PORT: String(port), SERVICE_INSTANCE: name, SERVICE_PRIVATE_KEY: JSON.stringify(privateKeys[service]), ...foldersOf(directory, name) }
    return describeProcess({ name, service, url: `http://127.0.0.1:${port}`, env: { ...shared, ...defaults, ...own, ...env, ...envOf[name] } })
  })
  const identityOf = (service: ServiceName) => createIdentity({ service, privateKeyJwk: privateKeys[service] ?? {}, publicJwks: publicKeys })
  return { processes, identityOf, databaseUrl }
}

/** Short waits, small pools: many processes on one machine. */
const defaults = {
  ...{ READINESS_DELAY_MS: '0', DATABASE_POOL_SIZE: '4', INFERENCE_THREADS: '1', INFERENCE_CACHE_TTL_MS: '0', INFERENCE_RECONCILE_MS: '1000' },
  ...{ PROMOTER_LEASE_MS: '1500', TRAINER_LEASE_MS: '1500', DRIFT_COUNT_EVERY_MS: '100', MALLOC_ARENA_MAX: '2' },
}

const foldersOf = (directory: string, name: string) => ({
  ...{ INFERENCE_POD: name, INFERENCE_CACHE_DIR: join(directory, name) },
  ...{ TRAINER_SCRATCH: join(directory, name), TRAINER_DATA_ROOTS: join(directory, 'datasets') },
})

/** Starts the servers of this test worker, unless they run, and the processes. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const infrastructure = await startInfrastructure()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-fault-'))
  const { processes, identityOf, databaseUrl } = await prepare(directory, options, infrastructure)
  const database = await openPostgres({ url: databaseUrl, schema: 'public', maxConnections: 2 })
  const brokers = requireSetting(infrastructure.env, 'KAFKA_BROKERS')
  const eventLog = createKafkaLog({ connection: connectionTo(brokers), log: silentLog, onFatal: () => undefined })
  const find = (name: string): ServiceProcess => {
    const found = processes.find((candidate) => candidate.name === name)
    if (!found) throw new Error(`no process ${name} was asked for: only ${processes.map((candidate) => candidate.name).join(', ')}`)
    return found
  }
  async function stop(): Promise<void> {
    await Promise.all(processes.map((process) => process.kill()))
    await Promise.all([eventLog.stop(), database.stop()])
    await rm(directory, { recursive: true, force: true })
  }
  const platform: Platform = {
    ...{ infrastructure, directory, processes, process: find, stop, database: database.value, eventLog: eventLog.value },
    client: createClient((service) => processes.filter((process) => process.service === service).map(({ url }) => url), identityOf),
  }
  await Promise.all(processes.map((process) => process.start())).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return platform
}
