import { Kafka, type KafkaConfig, type LogEntry, logLevel, type RetryOptions, type SASLOptions } from 'kafkajs'
import type { Log } from '../../log.ts'
import type { KafkaTiming } from './timing.ts'

/** A mechanism with a name and a password. */
export type KafkaSasl = Extract<SASLOptions, { username: string }>

export interface KafkaConnection {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** Null speaks plain TCP. `ca`, `cert` and `key` are PEM texts; without `ca` the system's authorities are trusted. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null
  readonly sasl: KafkaSasl | null
}

/** What the client reports as an error it tries again itself, so that nobody has to act yet. */
function speakThrough(log: Log): (entry: LogEntry) => void {
  return ({ level, namespace, log: { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } }) => {
    const report = level === logLevel.ERROR ? log.warn : log.debug
    report(`Kafka client: ${message}`, { namespace, ...fields })
  }
}

/**
 * A client of the cluster. `retry` is how long connections are tried before the caller hears of it; consumers bring a patience of their own.
 */
export function createClient(connection: KafkaConnection, log: Log, timing: KafkaTiming, retry: RetryOptions = { retries: 3 }): Kafka {
  const { brokers, clientId, tls, sasl } = connection
  const secure: Pick<KafkaConfig, 'ssl' | 'sasl'> = { ...(tls ? { ssl: { ...tls } } : {}), ...(sasl ? { sasl } : {}) }
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ...secure,
    connectionTimeout: timing.connectionTimeoutMs,
    authenticationTimeout: timing.requestTimeoutMs,
    requestTimeout: timing.requestTimeoutMs,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, ...retry },
    logLevel: logLevel.WARN,
    logCreator: () => speakThrough(log),
  })
}
