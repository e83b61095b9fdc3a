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

/** The client calls each refused connection an error and tries it again: its users report what is worth reporting. */
function speakThrough(log: Log): (entry: LogEntry) => void {
  return ({ namespace, log: { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } }) =>
    log.debug(`Kafka client: ${message}`, { namespace, ...fields })
}

/** Reports a lost connection to its caller within a few seconds. */
export const promptRetry: RetryOptions = { retries: 3, initialRetryTime: 100, maxRetryTime: 1000 }
/**
 * Never gives up a lost connection. A consumer that gives up is made anew and joins as a new member, and then the group waits until the session of its
 * former self ends: measured after an outage of 20 s, 10 s instead of 0.6.
 */
export const endlessRetry: RetryOptions = { retries: 1_000_000, initialRetryTime: 100, maxRetryTime: 1000 }

/** A client of the cluster. */
export function createClient(connection: KafkaConnection, log: Log, timing: KafkaTiming, retry: RetryOptions = promptRetry): Kafka {
  const { brokers, clientId, tls, sasl } = connection
  const secure: Pick<KafkaConfig, 'ssl' | 'sasl'> = { ...(tls ? { ssl: { ...tls } } : {}), ...(sasl ? { sasl } : {}) }
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ...secure,
    connectionTimeout: timing.connectionTimeoutMs,
    authenticationTimeout: timing.requestTimeoutMs,
    requestTimeout: timing.requestTimeoutMs,
    retry,
    logLevel: logLevel.WARN,
    logCreator: () => speakThrough(log),
  })
}
