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
export const run = z.looseObject({
  info: runInfo,
  data: z.looseObject({
    metrics: z.array(metricPoint).optional(),
    params: z.array(z.looseObject({ key: z.string(), value: z.string() })).optional(),
    tags: z.array(runTag).optional(),
  }),
  inputs: z.looseObject({ dataset_inputs: z.array(z.looseObject({ dataset: z.looseObject({ name: z.string(), digest: z.string() }) })).optional() }).optional(),
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
