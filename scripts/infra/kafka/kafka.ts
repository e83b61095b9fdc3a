import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../ask.ts'
import { needCommand } from '../debian-packages.ts'
import { runCommand } from '../run-command.ts'
import type { InfraContext, Server } from '../server.ts'
import { brokerProperties } from './broker-properties.ts'
import { keystoreIn, scramArguments } from './credentials.ts'
import { kafkaJars } from './jars.ts'

const USER = 'millrace'
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Djava.awt.headless=true', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
const HEAP = ['-Xms128m', '-Xmx384m']

async function configure({ settings, secrets }: InfraContext, directory: string): Promise<string> {
  const { keystore } = await keystoreIn(directory, secrets.keystore)
  const path = join(directory, 'server.properties')
  const properties = brokerProperties({
    port: settings.ports.kafka,
    controllerPort: settings.ports.kafkaController,
    securePort: settings.ports.kafkaSecure,
    dataDirectory: join(directory, 'data'),
    keystore,
    keystorePassword: secrets.keystore,
    user: USER,
    password: secrets.kafka,
  })
  writeFileSync(path, properties, { mode: 0o600 })
  return path
}

async function format(classPath: string, properties: string, directory: string, password: string): Promise<void> {
  if (existsSync(join(directory, 'data', 'meta.properties'))) return
  const clusterId = randomBytes(16).toString('base64url')
  const args = ['format', '--config', properties, '--cluster-id', clusterId, '--ignore-formatted', ...scramArguments(USER, password)]
  await runCommand('java', [...JVM, '-cp', classPath, 'kafka.tools.StorageTool', ...args])
}

/** An ApiVersions request, version 0, without a client id (Kafka protocol): every broker answers it, and only once it takes part in the cluster. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff])

/** One Kafka broker that is its own controller (KRaft), on Java 17 or newer. */
export const kafka: Server = {
  name: 'kafka',
  async prepare(context, directory) {
    await needCommand('java', 'openjdk-17-jre-headless')
    mkdirSync(directory, { recursive: true })
    const classPath = join(await kafkaJars(context.settings.cache), '*')
    const properties = await configure(context, directory)
    await format(classPath, properties, directory, context.secrets.kafka)
    return { command: ['java', ...HEAP, ...JVM, '-cp', classPath, 'kafka.Kafka', properties] }
  },
  async answers({ settings }) {
    const answer = await ask(settings.ports.kafka, API_VERSIONS, (bytes) => bytes.length >= 10)
    return answer.readInt32BE(4) === 7 && answer.readInt16BE(8) === 0
  },
  environment: ({ settings, secrets }, directory) => ({
    KAFKA_BROKERS: `127.0.0.1:${settings.ports.kafka}`,
    KAFKA_SECURE_BROKERS: `127.0.0.1:${settings.ports.kafkaSecure}`,
    KAFKA_SECURE_CA_FILE: join(directory, 'certificate.pem'),
    KAFKA_SECURE_USERNAME: USER,
    KAFKA_SECURE_PASSWORD: secrets.kafka,
  }),
}
