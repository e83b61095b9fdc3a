import { z } from 'zod'

/** The drift monitor's settings. */
export const driftMonitorConfig = z.object({
  /** Shortest pause between two passes that count logged predictions: the longer, the more are counted at once. */
  DRIFT_COUNT_EVERY_MS: z.coerce.number().int().min(0).max(60_000).default(500),
  /** How long logged predictions wait for news of the version that made them, before they are dropped. */
  DRIFT_WAIT_MS: z.coerce.number().int().min(1000).max(86_400_000).default(600_000),
  /** How long a prediction and a label wait for each other. */
  DRIFT_LABEL_DAYS: z.coerce.number().int().min(1).max(365).default(14),
  /** How long closed windows are kept. */
  DRIFT_WINDOW_DAYS: z.coerce.number().int().min(1).max(3650).default(90),
})
export type DriftMonitorConfig = z.infer<typeof driftMonitorConfig>
