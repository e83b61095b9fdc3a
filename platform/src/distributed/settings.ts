import { z } from 'zod'
import { kafkaSettings } from '../events/kafka/settings.ts'
import { otlpSettings } from '../telemetry/otlp-settings.ts'
import { keySettings } from './key-settings.ts'
import { tlsSettings } from './open-tls.ts'

const logLevels = ['debug', 'info', 'warn', 'error'] as const
const milliseconds = (max: number, preset: number) => z.coerce.number().int().min(0).max(max).default(preset)

/** For the log itself, which must be there before the settings are known to be right. */
export const logLevelOf = (env: Readonly<Record<string, string | undefined>>): string => logLevels.find((level) => level === env['LOG_LEVEL']) ?? 'info'

/** What every service reads that is a process of its own. */
export const processSettings = {
  HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  LOG_LEVEL: z.enum(logLevels).default('info'),
  /** Name of this process in its log lines, where several run of one service. */
  SERVICE_INSTANCE: z.string().min(1).max(253).optional(),
  /** How long to go on serving after /ready turned 503: as long as a load balancer takes to notice. */
  READINESS_DELAY_MS: milliseconds(15_000, 5000),
  /** How long answers in progress may still take while stopping. */
  SHUTDOWN_GRACE_MS: milliseconds(15_000, 10_000),
  ...keySettings,
  ...tlsSettings,
  ...kafkaSettings,
  ...otlpSettings,
}

/** PostgreSQL. */
export const databaseSettings = {
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\/\S+$/, 'expected postgres://user:password@host:port/database'),
  /** The service's own schema, its name unless set. */
  DATABASE_SCHEMA: z.string().min(1).max(63).optional(),
  /** Connections of this process; one more holds the lease of the relay. */
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).default(8),
  /** `false` where an administrator applies migrations (npm run provision) and the service's own user may not. */
  DATABASE_MIGRATE: z.stringbool().default(true),
  /** How soon an event is sent that another process of this service has committed. */
  OUTBOX_POLL_MS: z.coerce.number().int().min(5).max(10_000).default(50),
}

/**
 * An S3-compatible store. The bucket, or its part under the prefix, is Millrace's own: tracking removes from it what nothing names. Without an endpoint it is
 * Amazon's; without the two keys the SDK looks for credentials itself (files, instance role).
 */
export const blobsSettings = {
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  S3_BUCKET: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  S3_PREFIX: z.string().max(200).default(''),
  AWS_REGION: z.string().min(1).default('us-east-1'),
  AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
  AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
}

/** Redis. */
export const cacheSettings = {
  REDIS_URL: z.string().regex(/^rediss?:\/\/\S+$/, 'expected redis://user:password@host:port, or rediss:// for TLS'),
}

const URLS = 'expected one or more http:// or https:// URLs, separated by commas'

/** Base URLs of all processes of a service, separated by commas. */
export const serviceUrls = z.string(URLS).transform((text, context): readonly string[] => {
  const urls = text.split(',').flatMap((url) => url.trim().replace(/\/+$/, '') || [])
  if (urls.length > 0 && urls.every((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''))) return urls
  context.addIssue({ code: 'custom', message: URLS })
  return z.NEVER
})

export type ProcessConfig = z.infer<z.ZodObject<typeof processSettings>>
export type DatabaseConfig = z.infer<z.ZodObject<typeof databaseSettings>>
export type BlobsConfig = z.infer<z.ZodObject<typeof blobsSettings>>
export type CacheConfig = z.infer<z.ZodObject<typeof cacheSettings>>
