import { z } from 'zod'
import { hostConfig } from '../../services/all-in-one/src/config.ts'

/** Settings of the cluster beside those of its services and of the infrastructure. */
export const clusterSettings = z.object({
  ...hostConfig.shape,
  /** Processes other than the first gateway listen on the ports from here on, on loopback. */
  CLUSTER_BASE_PORT: z.coerce.number().int().min(1024).max(65_000).default(18_200),
  /** Processes of each service. */
  CLUSTER_COPIES: z.coerce.number().int().min(1).max(8).default(2),
})
