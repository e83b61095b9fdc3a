import { onnxSettings } from '@millrace/platform/model/onnx-limits.ts'
import { z } from 'zod'

/** Settings of the promoter; those of the default policy (version 0) hold for models that have none of their own. */
export const promoterConfig = z.object({
  PROMOTER_CHAMPION_EPSILON: z.coerce.number().min(0).max(1).default(0.02),
  PROMOTER_PARITY_TOLERANCE: z.coerce.number().positive().default(1e-4),
  PROMOTER_APPROVAL: z.enum(['auto', 'manual']).default('auto'),
  PROMOTER_DIRECT_PROMOTION: z.enum(['allowed', 'forbidden']).default('allowed'),
  /** How long after a promotion a pod that cannot load the version takes it back. */
  PROMOTER_WATCH_MS: z.coerce.number().int().min(1000).max(86_400_000).default(1_800_000),
  /** Work of a process that died is taken up by another one after this time. */
  PROMOTER_LEASE_MS: z.coerce.number().int().min(1000).max(600_000).default(10_000),
  /** Longest time for one model to answer its parity rows and latency runs. */
  PROMOTER_MEASURE_TIMEOUT_MS: z.coerce.number().int().min(1000).max(3_600_000).default(120_000),
  /** How often a decision is made anew because the model moved on meanwhile. */
  PROMOTER_MAX_ROUNDS: z.coerce.number().int().min(1).max(100).default(5),
  ...onnxSettings,
})
export type PromoterConfig = z.infer<typeof promoterConfig>
