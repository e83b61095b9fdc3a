import { z } from 'zod'
import { sha256 } from '../events/fields.ts'

/** MLflow REST shapes that Millrace's own services rely on; the full surface lives in the tracking service. All numbers in milliseconds are since the epoch. */
export const runTag = z.looseObject({ key: z.string(), value: z.string() })
export const metricPoint = z.looseObject({ key: z.string(), value: z.union([z.number(), z.string()]), timestamp: z.number(), step: z.number() })

export const runInfo = z.looseObject({
  run_id: z.string(),
  run_name: z.string(),
  experiment_id: z.string(),
  user_id: z.string().optional(),
  status: z.string(),
  start_time: z.number().optional(),
  end_time: z.number().optional(),
  artifact_uri: z.string(),
  lifecycle_stage: z.string(),
})
/** A data set that a run read; the link's tags say what for. */
const datasetInput = z.looseObject({
  tags: z.array(runTag).optional(),
  dataset: z.looseObject({ name: z.string(), digest: z.string(), source_type: z.string().optional(), source: z.string().optional() }),
})
export const run = z.looseObject({
  info: runInfo,
  data: z.looseObject({
    metrics: z.array(metricPoint).optional(),
    params: z.array(z.looseObject({ key: z.string(), value: z.string() })).optional(),
    tags: z.array(runTag).optional(),
  }),
  inputs: z.looseObject({ dataset_inputs: z.array(datasetInput).optional() }).optional(),
  outputs: z.looseObject({ model_outputs: z.array(z.looseObject({ model_id: z.string() })).optional() }).optional(),
})
export type Run = z.infer<typeof run>

export const createExperimentResponse = z.looseObject({ experiment_id: z.string() })
export const experimentResponse = z.looseObject({ experiment: z.looseObject({ experiment_id: z.string(), name: z.string(), lifecycle_stage: z.string() }) })
export const runResponse = z.looseObject({ run })
export const runInfoResponse = z.looseObject({ run_info: runInfo })
export const emptyResponse = z.looseObject({})

/** POST /api/v1/artifacts/manifests: seals the files under `path` of a run or logged model. Pinned until released; sealing the same content again gives the same digest. */
export const sealRequest = z.strictObject({
  /** `mlflow-artifacts:/<experiment>/<run>/artifacts/<path>`, `runs:/<run id>/<path>`, `models:/m-…`, or `s3://<bucket>/<key>` below the roots that tracking was configured with. */
  source: z.string().min(1).max(2048),
  /** Who pins it, such as `registry:fish-classifier/3`: pinning again by the same holder is the same pin. */
  holder: z.string().min(1).max(512),
})
export const sealResponse = z.looseObject({
  uri: z.string(),
  sha256,
  sizeBytes: z.int(),
  files: z.array(z.looseObject({ path: z.string(), sizeBytes: z.int(), sha256 })),
  /** Run that wrote it, where tracking knows. */
  runId: z.string().nullable(),
})
export type SealResponse = z.infer<typeof sealResponse>

/** POST /api/v1/artifacts/releases */
export const releaseRequest = z.strictObject({ sha256, holder: z.string().min(1).max(512) })

/** A number, or "NaN"; null where the run lacks the metric. */
const comparedMetric = z.union([z.number(), z.literal('NaN')]).nullable()
const comparedRow = { key: z.string(), differs: z.boolean() }
const comparedRun = z.looseObject({
  runId: z.string(),
  runName: z.string(),
  experimentId: z.string(),
  user: z.string(),
  status: z.string(),
  startTime: z.number(),
  endTime: z.number().nullable(),
})
/**
 * GET /api/v1/runs/compare?run_ids=a,b,…: `values` are in the order of `runs`, null where a run lacks the key; a run that lacks it differs from one that has it.
 * Tags that the MLflow client itself writes (`mlflow.…`) are left out.
 */
export const runComparison = z.looseObject({
  runs: z.array(comparedRun),
  params: z.array(z.looseObject({ ...comparedRow, values: z.array(z.string().nullable()) })),
  metrics: z.array(z.looseObject({ ...comparedRow, values: z.array(comparedMetric) })),
  tags: z.array(z.looseObject({ ...comparedRow, values: z.array(z.string().nullable()) })),
  /** What each run lacks that another one has; runs that lack nothing are left out. */
  missing: z.array(z.looseObject({ runId: z.string(), params: z.array(z.string()), metrics: z.array(z.string()), tags: z.array(z.string()) })),
})
export type RunComparison = z.infer<typeof runComparison>

/** GET /api/v1/experiments/{id}/best?metric=&mode=: by the latest value; of equal ones the run that started first, then by id. Runs whose value is NaN are never among them. */
export const bestRuns = z.looseObject({
  experimentId: z.string(),
  metric: z.string(),
  mode: z.enum(['max', 'min']),
  runs: z.array(
    z.looseObject({
      ...comparedRun.shape,
      rank: z.int(),
      value: z.number(),
      step: z.number(),
      timestamp: z.number(),
      params: z.record(z.string(), z.string()),
    }),
  ),
})
export type BestRuns = z.infer<typeof bestRuns>

const textOrNull = z.string().nullable()
/** GET /api/v1/runs/{id}/reproduction: all that was told of how a run came about, and what is missing to repeat it. */
export const runReproduction = z.looseObject({
  run: comparedRun,
  experimentName: z.string(),
  code: z.looseObject({
    sourceType: textOrNull,
    sourceName: textOrNull,
    entryPoint: textOrNull,
    gitCommit: textOrNull,
    gitBranch: textOrNull,
    gitRepository: textOrNull,
    /** Whether there were changes beside the commit; null where nobody told. */
    dirty: z.boolean().nullable(),
  }),
  params: z.record(z.string(), z.string()),
  seeds: z.array(z.looseObject({ key: z.string(), value: z.string() })),
  datasets: z.array(z.looseObject({ name: z.string(), digest: z.string(), context: textOrNull, sourceType: z.string(), source: z.string() })),
  /** Files that say what the run was made with. `sha256` is null for one in a bucket that this server only reads. */
  environment: z.array(z.looseObject({ uri: z.string(), kind: z.string(), sizeBytes: z.int(), sha256: sha256.nullable() })),
  outputs: z.array(z.string()),
  /** For a run that Millrace's trainer made: what to send to POST /api/v1/training/jobs, and the digest that the data must still have. */
  trainingJob: z.looseObject({ jobId: z.string(), request: z.unknown(), datasetSha256: textOrNull }).nullable(),
  /** Empty where nothing is missing. */
  missing: z.array(z.looseObject({ what: z.string(), why: z.string(), cure: z.string() })),
})
export type RunReproduction = z.infer<typeof runReproduction>
