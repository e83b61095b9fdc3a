import { createHash } from 'node:crypto'
import { arch, cpus, release, totalmem, type } from 'node:os'
import { RUN_TAG_JOB_REQUEST, type TrainingJobRequest } from '@millrace/contracts/http/trainer.ts'
import type { CodeState } from './code-state.ts'
import type { Job } from './domain/job.ts'
import type { TrainedModel } from './learning/training-job.ts'

/** Environment variables that change results and hold no secrets. Nothing else of the environment is ever recorded. */
const RECORDED_VARIABLES = ['NODE_ENV', 'TZ', 'LANG', 'LC_ALL', 'OMP_NUM_THREADS', 'UV_THREADPOOL_SIZE']

const sha256 = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/** `reproducibility.json`: what has to be the same for the run to come out the same again. */
export function reproducibilityOf(job: Job, code: CodeState, model: TrainedModel, wallMs: number): Record<string, unknown> {
  const { dataset, parameters } = model
  const [cpu] = cpus()
  const seed = Number(parameters['seed'])
  return {
    schemaVersion: 1,
    code: { ...code, entryPoint: 'services/trainer/src/learning/train-image-classifier.ts' },
    environment: {
      node: process.version,
      os: `${type()} ${release()}`,
      architecture: arch(),
      cpu: { model: cpu?.model ?? 'unknown', count: cpus().length },
      memoryBytes: totalmem(),
      variables: Object.fromEntries(RECORDED_VARIABLES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
    },
    // The seed does not depend on the attempt: a retry learns the same.
    randomness: { seed, deterministic: true },
    parameters,
    data: {
      path: job.dataset,
      sha256: dataset.digest,
      rows: dataset.rows,
      classes: dataset.classes.length,
      unreadable: dataset.unreadable,
      bytes: dataset.bytes,
    },
    origin: { jobId: job.jobId, attempt: job.attempt, requestedBy: job.requestedBy, cause: job.cause },
    outputs: { headSha256: model.headSha256 },
    cost: { wallMs: Math.round(wallMs) },
    // Equal for two runs of the same code on the same data with the same parameters.
    runKey: sha256([code.commit, code.patchSha256, code.lockfileSha256, dataset.digest, Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
  }
}

/** What to send to repeat the job, with the seed that was used. */
export function repeatTag(job: Job, seed: number): Record<string, string> {
  const { model, dataset, experiment, register, timeoutMs, maxAttempts } = job
  const request: TrainingJobRequest = { model, dataset, experiment, parameters: { ...job.parameters, seed }, register, timeoutMs, maxAttempts }
  return { [RUN_TAG_JOB_REQUEST]: JSON.stringify(request) }
}

/** The part of it that is searched for, as tags of the run. */
export function originTags(job: Job, code: CodeState): Record<string, string> {
  return {
    'mlflow.source.name': 'services/trainer',
    'mlflow.source.type': 'JOB',
    'mlflow.user': job.requestedBy,
    ...(code.commit === null ? {} : { 'mlflow.source.git.commit': code.commit }),
    ...(code.branch === null ? {} : { 'mlflow.source.git.branch': code.branch }),
    ...(code.repository === null ? {} : { 'mlflow.source.git.repoURL': code.repository }),
    ...(code.dirty === null ? {} : { 'millrace.code.dirty': String(code.dirty) }),
    ...(code.lockfileSha256 === null ? {} : { 'millrace.code.lockfile': code.lockfileSha256 }),
  }
}
