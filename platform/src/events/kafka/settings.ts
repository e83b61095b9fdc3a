import { z } from 'zod'
import type { KafkaConnection } from './connection.ts'

const brokers = z
  .string()
  .regex(/^\s*[^\s,:]+:\d+(\s*,\s*[^\s,:]+:\d+)*\s*$/)
  .transform((text) => text.split(',').map((broker) => broker.trim()))

/** Settings of the broker connection, to be spread into a service's own. Each may also be read from a file, by its name with `_FILE`. */
export const kafkaSettings = {
  KAFKA_BROKERS: brokers,
  KAFKA_TLS: z.enum(['true', 'false']).default('false'),
  /** PEM: whom to trust, and who we are where the brokers ask for certificates. */
  KAFKA_CA: z.string().optional(),
  KAFKA_CERT: z.string().optional(),
  KAFKA_KEY: z.string().optional(),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_USERNAME: z.string().optional(),
  KAFKA_PASSWORD: z.string().optional(),
}

type KafkaSettings = z.infer<z.ZodObject<typeof kafkaSettings>>

/** @throws Error when a mechanism comes without a name and a password */
export function connectionFrom(settings: KafkaSettings, clientId: string): KafkaConnection {
  const { KAFKA_CA: ca, KAFKA_CERT: cert, KAFKA_KEY: key, KAFKA_SASL_MECHANISM: mechanism, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = settings
  if (mechanism && !(username && password)) throw new Error(`KAFKA_SASL_MECHANISM is ${mechanism}: set KAFKA_USERNAME and KAFKA_PASSWORD too`)
  const tls = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
  return {
    brokers: settings.KAFKA_BROKERS,
    clientId,
    tls: settings.KAFKA_TLS === 'true' ? tls : null,
    sasl: mechanism && username && password ? { mechanism, username, password } : null,
  }
}
