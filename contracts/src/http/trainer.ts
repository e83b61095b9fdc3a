import { z } from 'zod'
import { artifact, timestamp } from '../events/fields.ts'
import { evaluation } from '../model/model-spec.ts'
import { modelName } from './registry.ts'

/** Settings of the image classifier's head. */
export const trainingParameters = z.strictObject({
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .optional(),
  epochs: z.int().min(1).max(1000).optional(),
  batchSize: z.int().min(1).max(1024).optional(),
  learningRate: z.number().positive().max(10).optional(),
  hiddenUnits: z.int().min(0).max(4096).optional(),
  /** An ONNX feature extractor under a configured root, by its name there or its whole path; absent = the shipped one. */
  backbone: z.string().max(1024).optional(),
})
export type TrainingParameters = z.infer<typeof trainingParameters>

/** POST /api/v1/training/jobs, optionally with an `idempotency-key`. */
export const trainingJobRequest = z.strictObject({
  model: modelName,
  /** Folder with `train/val/test/<class>/*`, under one of the configured data roots. */
  dataset: z.string().min(1).max(1024),
  experiment: z.string().min(1).max(500).optional(),
  parameters: trainingParameters.optional(),
  /** Tags the run so that the registry registers it. */
  register: z.boolean().optional(),
  timeoutMs: z.int().min(1000).max(86_400_000).optional(),
  maxAttempts: z.int().min(1).max(10).optional(),
  /** Why, such as a drift alert's id. */
  cause: z.string().max(500).optional(),
})
export type TrainingJobRequest = z.infer<typeof trainingJobRequest>

export const jobStates = ['waiting_for_data', 'queued', 'running', 'cancelling', 'succeeded', 'failed', 'timed_out', 'cancelled'] as const

export const trainingJob = z.looseObject({
  jobId: z.string(),
  model: z.string(),
  dataset: z.string(),
  parameters: trainingParameters,
  state: z.string().meta({ 'x-known-values': [...jobStates] }),
  attempt: z.int().nonnegative(),
  maxAttempts: z.int(),
  runId: z.string().nullable(),
  cause: z.string(),
  requestedBy: z.string(),
  /** 0..1 */
  progress: z.number(),
  message: z.string(),
  metrics: z.record(z.string(), z.number()),
  createdAt: timestamp,
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable(),
})
export type TrainingJob = z.infer<typeof trainingJob>
export const trainingJobs = z.looseObject({ jobs: z.array(trainingJob) })

/** GET /api/v1/training/jobs/{id}/logs?after= */
export const trainingLogs = z.looseObject({ lines: z.array(z.looseObject({ seq: z.int(), at: timestamp, line: z.string() })), next: z.int() })

/** PUT /api/v1/training/policies/{model}: what to do when the model's traffic drifts or its quality falls. */
export const retrainingPolicy = z.strictObject({
  dataset: z.string().min(1).max(1024),
  parameters: trainingParameters,
  onDrift: z.enum(['off', 'warning', 'critical']),
  onPerformance: z.boolean(),
  /** Start only once the folder differs from the one that the last model learned from: the same data would give the same model. */
  waitForNewData: z.boolean(),
  /** At most one retraining per model in this time. */
  cooldownMs: z.int().nonnegative(),
})
export type RetrainingPolicy = z.infer<typeof retrainingPolicy>
export const retrainingPolicyResponse = z.looseObject({ model: z.string(), policy: retrainingPolicy, changedBy: z.string(), changedAt: timestamp })

/** POST /api/v1/training/evaluations (with an `idempotency-key`): runs a sealed model over the test split of the snapshot that a run trained on. */
export const evaluationRequest = z.strictObject({ artifact, dataset: z.string().min(1).max(1024), datasetDigest: z.string().min(1) })
export const evaluationStatus = z.looseObject({
  evaluationId: z.string(),
  state: z.string().meta({ 'x-known-values': ['queued', 'running', 'succeeded', 'failed'] }),
  message: z.string(),
  evaluation: evaluation.nullable(),
})
export type EvaluationStatus = z.infer<typeof evaluationStatus>

/** Tags and parameters that the trainer writes on its runs and others read. */
export const RUN_TAG_REGISTER = 'millrace.register'
export const RUN_TAG_REGISTER_PATH = 'millrace.register.path'
export const RUN_TAG_DATASET_PATH = 'millrace.dataset.path'
export const RUN_TAG_DATASET_DIGEST = 'millrace.dataset.digest'
export const RUN_TAG_CAUSE = 'millrace.cause'
export const RUN_TAG_JOB = 'millrace.job'
/** What to send to repeat the job, as JSON: a `trainingJobRequest` with the seed that was used. */
export const RUN_TAG_JOB_REQUEST = 'millrace.job.request'
