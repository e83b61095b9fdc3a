import { z } from 'zod'
import { accessSettings } from './settings/access-settings.ts'
import { edgeSettings } from './settings/edge-settings.ts'
import { quotaSettings } from './settings/quota-settings.ts'
import { trafficSettings } from './settings/traffic-settings.ts'

const bytes = (fallback: number) => z.coerce.number().int().min(1024).default(fallback)
const milliseconds = (fallback: number) => z.coerce.number().int().min(100).max(3_600_000).default(fallback)

/** The gateway's settings. */
export const gatewayConfig = z.object({
  /** Address that the gateway is bound to: on loopback a caller without a key is the local administrator, on any other nobody is. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** A key with the role admin that needs no database, to create the first API keys with. */
  MILLRACE_ADMIN_KEY: z.string().min(32, 'expected at least 32 characters').max(512).optional(),
  /** Further names under which a browser on this machine may reach a loopback gateway, such as `millrace.test:9000`, separated by commas. */
  GATEWAY_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((name) => name.trim().toLowerCase() || [])),
  /** Requests per second of one key or, without keys, one address; 0 switches the limit off. */
  GATEWAY_RATE_LIMIT: z.coerce.number().int().min(0).max(1_000_000).default(20_000),
  /** Largest body of a control-plane call. */
  GATEWAY_MAX_API_BYTES: bytes(4_194_304),
  /** Largest body of a prediction. */
  GATEWAY_MAX_PREDICT_BYTES: bytes(10_485_760),
  /** Largest artifact file. */
  GATEWAY_MAX_ARTIFACT_BYTES: bytes(10_737_418_240),
  /** Longest time of a whole prediction. */
  GATEWAY_PREDICT_TIMEOUT_MS: milliseconds(30_000),
  /** Longest time of a whole control-plane call. */
  GATEWAY_API_TIMEOUT_MS: milliseconds(60_000),
  /** Longest standstill of an artifact's upload or download. */
  GATEWAY_STALL_TIMEOUT_MS: milliseconds(120_000),
  ...trafficSettings,
  ...quotaSettings,
  ...edgeSettings,
  ...accessSettings,
})
export type GatewayConfig = z.infer<typeof gatewayConfig>
