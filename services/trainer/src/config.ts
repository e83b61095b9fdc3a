import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { z } from 'zod'

const folders = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((paths) =>
      paths
        .split(delimiter)
        .filter((path) => path !== '')
        .map((path) => resolve(path)),
    )

/** Settings of the trainer. */
export const trainerConfig = z.object({
  /** Folders that training may read, separated as in PATH. */
  TRAINER_DATA_ROOTS: folders('data'),
  /** Folders that hold backbones besides the data roots, separated as in PATH. */
  TRAINER_BACKBONE_ROOTS: folders(''),
  /** Where models lie while they are made. */
  TRAINER_SCRATCH: z.string().min(1).default(join(tmpdir(), 'millrace-trainer')),
  /** Jobs that are trained at the same time. */
  TRAINER_CONCURRENCY: z.coerce.number().int().min(1).max(16).default(1),
  TRAINER_TIMEOUT_MS: z.coerce.number().int().min(1000).max(86_400_000).default(3_600_000),
  TRAINER_ATTEMPTS: z.coerce.number().int().min(1).max(10).default(3),
  /** Pause before the second attempt; it doubles with each further one. */
  TRAINER_RETRY_PAUSE_MS: z.coerce.number().int().min(0).max(60_000).default(1000),
  /** An attempt of a process that died is given up after this time. */
  TRAINER_LEASE_MS: z.coerce.number().int().min(300).max(600_000).default(10_000),
  /** How often folders are looked at that a job waits for. */
  TRAINER_DATA_CHECK_MS: z.coerce.number().int().min(50).max(3_600_000).default(1500),
  TRAINER_EVALUATION_TIMEOUT_MS: z.coerce.number().int().min(1000).max(86_400_000).default(600_000),
  /** Heap of the training thread; tensors live outside it. */
  TRAINER_MAX_HEAP_MB: z.coerce.number().int().min(64).max(65_536).default(1024),
})
export type TrainerConfig = z.infer<typeof trainerConfig>
