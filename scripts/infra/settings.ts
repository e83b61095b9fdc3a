import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export const serverNames = ['kafka', 'postgres', 'redis', 's3'] as const
export type ServerName = (typeof serverNames)[number]

export interface InfraSettings {
  /** Data, logs, pid files and generated secrets. */
  readonly directory: string
  /** Downloads and builds; shared by all checkouts of this user. */
  readonly cache: string
  readonly ports: Readonly<Record<ServerName | 'kafkaController' | 'kafkaSecure', number>>
}

const PORTS = { kafka: 19_092, kafkaController: 19_093, kafkaSecure: 19_094, postgres: 15_432, redis: 16_379, s3: 19_070 } as const

/** Ports are above 15000 by default, so that servers which the machine already runs are left in peace. @throws Error that names a variable that is no port */
export function readSettings(env: NodeJS.ProcessEnv, root: string): InfraSettings {
  const port = (name: string, fallback: number): number => {
    const text = env[name]
    if (!text) return fallback
    const value = Number(text)
    if (Number.isInteger(value) && value > 0 && value < 65_536) return value
    throw new Error(`${name}: expected a port 1..65535, got ${JSON.stringify(text)}`)
  }
  const kafka = port('MILLRACE_KAFKA_PORT', PORTS.kafka)
  return {
    directory: resolve(root, env['MILLRACE_INFRA_DIR'] || '.millrace/infra'),
    cache: resolve(env['MILLRACE_CACHE'] || join(homedir(), '.cache', 'millrace')),
    ports: {
      kafka,
      kafkaController: port('MILLRACE_KAFKA_CONTROLLER_PORT', kafka + 1),
      kafkaSecure: port('MILLRACE_KAFKA_SECURE_PORT', kafka + 2),
      postgres: port('MILLRACE_POSTGRES_PORT', PORTS.postgres),
      redis: port('MILLRACE_REDIS_PORT', PORTS.redis),
      s3: port('MILLRACE_S3_PORT', PORTS.s3),
    },
  }
}
