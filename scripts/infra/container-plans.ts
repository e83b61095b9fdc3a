import { createAuthority } from '@millrace/platform/testing/self-signed.ts'
import { brokerProperties } from './kafka/broker-properties.ts'
import type { InfraContext } from './server.ts'
import type { ServerName } from './settings.ts'

/** How one server runs in a container, so that it is reached by the same environment lines as the process that `infra up` starts. */
export interface ContainerPlan {
  readonly image: string
  readonly ports: readonly { readonly container: number; readonly host: number }[]
  readonly env: Readonly<Record<string, string>>
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly files?: readonly { readonly target: string; readonly content: string }[]
  /** A shell command that ends with 0 once the server answers. */
  readonly healthCheck: string
  /** Commands run inside, one after the other, once it answers. */
  readonly settle?: readonly (readonly string[])[]
  /** Files for clients on this side, by name. */
  readonly clientFiles?: Readonly<Record<string, string>>
}

const USER = 'millrace'
const KEYSTORE = '/etc/millrace/keystore.pem'

/** The properties of the local broker, but listening beyond the container's own loopback, and with a key that needs no keytool. */
function containerProperties({ settings, secrets }: InfraContext): string {
  const { kafka: port, kafkaSecure: securePort, kafkaController: controllerPort } = settings.ports
  const addresses = { port, securePort, controllerPort, dataDirectory: '/tmp/kafka-logs' }
  const properties = brokerProperties({ ...addresses, keystore: KEYSTORE, keystorePassword: '', user: USER, password: secrets.kafka })
  const kept = properties.split('\n').filter((line) => !/^(ssl\.|listeners=)/.test(line))
  const listeners = `listeners=PLAINTEXT://:${port},SECURE://:${securePort},CONTROLLER://127.0.0.1:${controllerPort}`
  return [...kept.filter(Boolean), listeners, 'ssl.keystore.type=PEM', `ssl.keystore.location=${KEYSTORE}`, ''].join('\n')
}

function kafka(context: InfraContext): ContainerPlan {
  const { kafka: port, kafkaSecure } = context.settings.ports
  const authority = createAuthority()
  const { key, cert } = authority.issue(['localhost', '127.0.0.1'])
  const broker = ['--bootstrap-server', `127.0.0.1:${port}`]
  const user = ['--entity-type', 'users', '--entity-name', USER]
  // One each: Kafka refuses two credentials of a user in one request.
  const credentials = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => ['--add-config', `${mechanism}=[password=${context.secrets.kafka}]`])
  return {
    image: 'apache/kafka:4.1.0',
    // The broker tells clients its own port: both sides must have the same.
    ports: [port, kafkaSecure].map((each) => ({ container: each, host: each })),
    env: { KAFKA_HEAP_OPTS: '-Xms128m -Xmx384m' },
    files: [
      { target: '/mnt/shared/config/server.properties', content: containerProperties(context) },
      { target: KEYSTORE, content: `${key}${cert}` },
    ],
    healthCheck: `/opt/kafka/bin/kafka-broker-api-versions.sh ${broker.join(' ')}`,
    settle: credentials.map((credential) => ['/opt/kafka/bin/kafka-configs.sh', ...broker, '--alter', ...credential, ...user]),
    clientFiles: { 'certificate.pem': authority.ca },
  }
}

const postgres = ({ settings, secrets }: InfraContext): ContainerPlan => ({
  image: 'postgres:17-bookworm',
  ports: [{ container: 5432, host: settings.ports.postgres }],
  env: {
    POSTGRES_USER: USER,
    POSTGRES_DB: 'millrace',
    POSTGRES_PASSWORD: secrets.postgres,
    POSTGRES_INITDB_ARGS: '--auth-host=scram-sha-256 --data-checksums',
  },
  command: ['postgres', '-c', 'max_connections=200'],
  healthCheck: `pg_isready -h 127.0.0.1 -U ${USER} -d millrace`,
})

const redis = ({ settings, secrets }: InfraContext): ContainerPlan => ({
  image: 'redis:7-bookworm',
  ports: [{ container: 6379, host: settings.ports.redis }],
  env: { REDISCLI_AUTH: secrets.redis },
  // From the environment, so that the password stands in no process list.
  command: [
    'sh',
    '-c',
    'printf "requirepass %s\\nmaxmemory 256mb\\nmaxmemory-policy allkeys-lru\\nsave \\"\\"\\nappendonly no\\n" "$REDISCLI_AUTH" | exec redis-server -',
  ],
  healthCheck: 'redis-cli ping | grep -q PONG',
})

const s3 = ({ settings, secrets }: InfraContext): ContainerPlan => ({
  image: 'versity/versitygw:v1.8.0',
  ports: [{ container: 7070, host: settings.ports.s3 }],
  env: { ROOT_ACCESS_KEY: USER, ROOT_SECRET_KEY: secrets.s3, VGW_PORT: ':7070' },
  entrypoint: ['sh', '-c', 'mkdir -p /data/objects/millrace /data/metadata && exec versitygw "$@"', 'versitygw'],
  command: ['--health', '/health', '--quiet', 'posix', '--sidecar', '/data/metadata', '/data/objects'],
  healthCheck: 'wget -q -O /dev/null http://127.0.0.1:7070/health',
})

export const containerPlans: Readonly<Record<ServerName, (context: InfraContext) => ContainerPlan>> = { kafka, postgres, redis, s3 }
