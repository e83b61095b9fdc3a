import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { onnxSettings } from '@millrace/platform/model/onnx-limits.ts'
import { z } from 'zod'

const count = (min: number, max: number, preset: number) => z.coerce.number().int().min(min).max(max).default(preset)

/** Settings of an inference pod. */
export const inferenceConfig = z.object({
  /** Names this pod in events and answers. */
  INFERENCE_POD: z.string().min(1).max(253).default('inference-0'),
  /** Where verified artifacts, the last good serving state and what probes found are kept between starts. */
  INFERENCE_CACHE_DIR: z
    .string()
    .min(1)
    .default('.millrace/inference')
    .transform((path) => resolve(path)),
  /** Artifacts used least recently are removed beyond this many bytes. */
  INFERENCE_CACHE_MAX_BYTES: count(1, Number.MAX_SAFE_INTEGER, 10 * 1024 ** 3),
  /** Worker threads that one version may have at most; it begins with one, the others come and go with its load. */
  INFERENCE_THREADS: count(1, 64, availableParallelism()),
  /** Worker threads that all versions share beyond their first. */
  INFERENCE_POOL_THREADS: count(0, 256, availableParallelism()),
  /** A thread beyond the first that had nothing to do for so long is let go. */
  INFERENCE_THREAD_IDLE_MS: count(10, 86_400_000, 60_000),
  /** A batch that runs longer is given up together with its thread; at least the longest deadline. */
  INFERENCE_RUN_LIMIT_MS: count(10, 86_400_000, 60_000),
  /** Worker threads that decode images, shared by all models. */
  INFERENCE_IMAGE_THREADS: count(1, 64, 1),
  /** Memory that loaded models may take: as measured when they were tried, 2.5 times their files until then. */
  INFERENCE_MODEL_MEMORY_BYTES: count(1, Number.MAX_SAFE_INTEGER, 4 * 1024 ** 3),
  /** A version that had no request for so long may be unloaded when another one needs its memory. */
  INFERENCE_UNLOAD_IDLE_MS: count(0, 86_400_000, 60_000),
  /** How long a replaced Production version stays in memory, where its model does not say. */
  INFERENCE_KEEP_PREVIOUS_MINUTES: count(0, 1440, 0),
  /** Memory and time of the child process that tries each new artifact first. */
  INFERENCE_PROBE_MEMORY_BYTES: count(512 * 1024 ** 2, Number.MAX_SAFE_INTEGER, 2 * 1024 ** 3),
  INFERENCE_PROBE_TIMEOUT_MS: count(100, 600_000, 30_000),
  /** How often the registry is asked for what the event log may have missed. */
  INFERENCE_RECONCILE_MS: count(50, 3_600_000, 5000),
  /** Largest body of a prediction request. */
  INFERENCE_MAX_BODY_BYTES: count(1024, 1024 ** 3, 10 * 1024 ** 2),
  /** Largest stored picture, width x height. */
  INFERENCE_MAX_PIXELS: count(1, 1_000_000_000, 50_000_000),
  /** Longest time for one request; a caller may ask for less. */
  INFERENCE_DEADLINE_MS: count(1, 3_600_000, 30_000),
  /** Rows that run together at most; 8 times as many may wait. */
  INFERENCE_MAX_BATCH_ROWS: count(1, 4096, 32),
  /** How long a batch that is not full waits for company, where its model does not say; 0: not at all. */
  INFERENCE_MAX_QUEUE_DELAY_MS: count(0, 10_000, 0),
  /** Rows in one request at most. */
  INFERENCE_MAX_REQUEST_ROWS: count(1, 1_000_000, 1024),
  /** How long an answer may be reused; 0 switches the prediction cache off. */
  INFERENCE_CACHE_TTL_MS: count(0, 30 * 86_400_000, 3_600_000),
  /** Answers, and their bytes, that are kept in this process for each model. */
  INFERENCE_CACHE_ENTRIES: count(0, 10_000_000, 10_000),
  INFERENCE_CACHE_BYTES: count(0, Number.MAX_SAFE_INTEGER, 16 * 1024 ** 2),
  /** Features, and bytes of features and outputs, in one logged prediction at most. */
  INFERENCE_LOG_MAX_FEATURES: count(0, 10_000, 200),
  INFERENCE_LOG_MAX_BYTES: count(0, 1_048_576, 16_384),
  /** Key of the digests that stand for hashed features. Without one each pod makes its own at every start: then no two pods give the same. */
  INFERENCE_LOG_HASH_KEY: z.string().default(''),
  /** Share of the predictions that are logged. */
  INFERENCE_LOG_SAMPLE_RATE: z.coerce.number().min(0).max(1).default(1),
  /** Predictions that wait to be logged at most; beyond that they are dropped and counted. */
  INFERENCE_LOG_BUFFER: count(1, 1_000_000, 10_000),
  ...onnxSettings,
})
export type InferenceConfig = z.infer<typeof inferenceConfig>
