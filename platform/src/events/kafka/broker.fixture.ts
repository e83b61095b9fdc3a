import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { silentLog } from '../../log.ts'
import type { LogRecord } from '../event-log.ts'
import { createClient, type KafkaConnection } from './connection.ts'
import { withAdmin } from './offsets.ts'
import { defaultKafkaTiming } from './timing.ts'

const infra = join(import.meta.dirname, '..', '..', '..', '..', 'scripts', 'infra', 'infra.ts')

export const connectionTo = (brokers: string): KafkaConnection => ({ brokers: brokers.split(','), clientId: 'tests', tls: null, sasl: null })

/** A topic that nobody used before. */
export async function newTopic(
  connection: KafkaConnection,
  partitions: number,
  cleanup: 'delete' | 'compact' = 'delete',
  topic = `test-${randomUUID()}`,
): Promise<string> {
  const configEntries = [{ name: 'cleanup.policy', value: cleanup }]
  const topics = [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }]
  await withAdmin(createClient(connection, silentLog, defaultKafkaTiming), (admin) => admin.createTopics({ topics, waitForLeaders: true }))
  return topic
}

export const textRecord = (key: string, value: string): LogRecord => ({ key, value: Buffer.from(value), headers: {} })

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

export interface OwnBroker {
  readonly connection: KafkaConnection
  up(): Promise<void>
  down(): Promise<void>
  remove(): Promise<void>
}

/** A broker of the test's own, to be stopped and started at will. */
export async function startOwnBroker(): Promise<OwnBroker> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-broker-'))
  const [port, controller, secure] = await Promise.all([freePort(), freePort(), freePort()])
  const ports = { MILLRACE_KAFKA_PORT: `${port}`, MILLRACE_KAFKA_CONTROLLER_PORT: `${controller}`, MILLRACE_KAFKA_SECURE_PORT: `${secure}` }
  const env = { ...process.env, ...ports, MILLRACE_INFRA_DIR: directory }
  const call = async (command: string): Promise<void> => void (await promisify(execFile)(process.execPath, [infra, command, 'kafka'], { env }))
  await call('up')
  return {
    connection: connectionTo(`127.0.0.1:${port}`),
    up: () => call('up'),
    down: () => call('down'),
    async remove() {
      await call('down')
      await rm(directory, { recursive: true, force: true })
    },
  }
}
