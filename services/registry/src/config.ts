import { z } from 'zod'

/** The registry's settings. */
export const registryConfig = z.object({
  /** How long a new version may hold up its own answer while its artifact is sealed; a job goes on after that. */
  REGISTRY_SEAL_WAIT_MS: z.coerce.number().int().min(0).max(60_000).default(10_000),
  /** Time limit of one call that seals an artifact. */
  REGISTRY_SEAL_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(120_000),
})
export type RegistryConfig = z.infer<typeof registryConfig>
