import { onnxSettings } from '@millrace/platform/model/onnx-limits.ts'
import { z } from 'zod'

/** The registry's settings. */
export const registryConfig = z.object({
  /** How long a new version may hold up its own answer while its artifact is sealed; a job goes on after that. */
  REGISTRY_SEAL_WAIT_MS: z.coerce.number().int().min(0).max(60_000).default(10_000),
  /** Time limit of one call that seals an artifact. */
  REGISTRY_SEAL_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(120_000),
  /** 32 random bytes in hexadecimal or base64 that the secrets of webhooks are encrypted with. Without it webhooks cannot have secrets. */
  REGISTRY_WEBHOOK_KEY: z
    .string()
    .regex(/^(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)$/, 'expected 32 random bytes as 64 hexadecimal or 44 base64 characters')
    .optional(),
  /** Time limit of one attempt to deliver to a webhook. */
  REGISTRY_WEBHOOK_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(30_000),
  /** How long a delivery is tried again before it is given up. */
  REGISTRY_WEBHOOK_GIVE_UP_AFTER_MS: z.coerce.number().int().min(1000).max(2_592_000_000).default(86_400_000),
  /** How long it can be looked up what became of a delivery. */
  REGISTRY_WEBHOOK_KEEP_MS: z.coerce.number().int().min(1000).max(31_536_000_000).default(604_800_000),
  /** First part of the names of jobs in OpenLineage events. */
  REGISTRY_OPENLINEAGE_NAMESPACE: z.string().min(1).max(200).default('millrace'),
  /** Where OpenLineage events are posted besides their topic, such as `https://lineage.example.com/api/v1/lineage`; a public address. Without it nowhere. */
  REGISTRY_OPENLINEAGE_URL: z
    .url({ protocol: /^https$/ })
    .max(2048)
    .optional(),
  /** Sent to that endpoint as a bearer token. */
  REGISTRY_OPENLINEAGE_API_KEY: z.string().min(1).max(4096).optional(),
  /** Webhooks that are delivered to at the same time. */
  REGISTRY_WEBHOOK_LANES: z.coerce.number().int().min(1).max(1000).default(32),
  ...onnxSettings,
})
export type RegistryConfig = z.infer<typeof registryConfig>
