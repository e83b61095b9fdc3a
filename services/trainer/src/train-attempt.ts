import { createReadStream } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { TrackedRun, TrackingClient } from '@millrace/contracts/client/tracking-client.ts'
import {
  RUN_TAG_CAUSE,
  RUN_TAG_DATASET_DIGEST,
  RUN_TAG_DATASET_PATH,
  RUN_TAG_JOB,
  RUN_TAG_REGISTER,
  RUN_TAG_REGISTER_PATH,
} from '@millrace/contracts/http/trainer.ts'
import type { AttemptProgress } from './attempt-progress.ts'
import type { CodeState } from './code-state.ts'
import { trainingData } from './dataset-entry.ts'
import type { TrainerDeps } from './deps.ts'
import type { Job } from './domain/job.ts'
import type { TrainingEngine } from './engine.ts'
import { settingsOf } from './learning/settings.ts'
import type { TrainedModel, TrainingJob } from './learning/training-job.ts'
import { parametersOf } from './learning/training-report.ts'
import { createEpochLogger } from './log-epochs.ts'
import { originTags, repeatTag, reproducibilityOf } from './reproducibility.ts'
import { resolveDataset } from './resolve-data.ts'
import { trainingSettings } from './training-settings.ts'

/** The folder in the run's artifacts that holds the model. */
const MODEL_FOLDER = 'model'
const REPORT_FOLDER = 'report'
export const RUN_TAG_ATTEMPT = 'millrace.attempt'

export interface AttemptDeps extends Pick<TrainerDeps, 'config' | 'clock'> {
  readonly runs: TrackingClient
  readonly engine: TrainingEngine
  readonly readCode: () => Promise<CodeState>
}

export interface AttemptContext {
  readonly job: Job
  readonly progress: AttemptProgress
  readonly signal: AbortSignal
  /** Called as soon as the run is there; throws when the job is not this attempt's any more. */
  readonly onRun: (runId: string) => Promise<void>
}

export interface AttemptResult {
  readonly runId: string
  readonly metrics: Readonly<Record<string, number>>
  readonly dataDigest: string
}

/** One attempt from the data to a run that lacks nothing but its end. Leaves nothing on the disk. */
export async function trainAttempt(deps: AttemptDeps, context: AttemptContext): Promise<AttemptResult> {
  const { job, progress, signal } = context
  const begun = deps.clock()
  const outputDir = join(deps.config.TRAINER_SCRATCH, job.jobId, String(job.attempt))
  // What a crashed attempt left behind goes as well.
  await rm(join(deps.config.TRAINER_SCRATCH, job.jobId), { recursive: true, force: true })
  const dataset = await resolveDataset(deps.config.TRAINER_DATA_ROOTS, job.dataset)
  const settings = await trainingSettings(deps.config, job.parameters, dataset.root, outputDir)
  const code = await deps.readCode()
  const run = await startRun(deps, context, code, settings)
  await deps.runs.logBatch(run.runId, { params: parametersOf(settingsOf(settings)) }, 'params', { signal })
  try {
    await mkdir(outputDir, { recursive: true })
    const epochs = createEpochLogger(deps, run.runId, progress, signal)
    const report = (told: Parameters<AttemptProgress['take']>[0]) => {
      progress.take(told)
      if (told.kind === 'epoch') epochs.wake()
    }
    const model = await deps.engine.train(settings, { report, signal })
    await epochs.settle()
    const record = reproducibilityOf(job, code, model, deps.clock().getTime() - begun.getTime())
    await upload(deps, context, run, model, outputDir, record)
    await logOutcome(deps, context, run, model, dataset.root)
    return { runId: run.runId, metrics: finiteOnly(model.metrics), dataDigest: model.dataset.digest }
  } finally {
    await rm(outputDir, { recursive: true, force: true })
  }
}

/** JSON knows no NaN. */
const finiteOnly = (metrics: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)))

async function startRun(deps: AttemptDeps, { job, progress, signal, onRun }: AttemptContext, code: CodeState, settings: TrainingJob): Promise<TrackedRun> {
  const experimentId = await deps.runs.ensureExperiment(job.experiment, { signal })
  const tags = {
    ...originTags(job, code),
    ...(job.register ? { [RUN_TAG_REGISTER]: job.model, [RUN_TAG_REGISTER_PATH]: MODEL_FOLDER } : {}),
    ...repeatTag(job, settings.seed),
    [RUN_TAG_DATASET_PATH]: settings.dataRoot,
    [RUN_TAG_CAUSE]: job.cause,
    [RUN_TAG_JOB]: job.jobId,
    [RUN_TAG_ATTEMPT]: String(job.attempt),
  }
  const name = `${job.model}-${job.jobId.slice(-8)}-${job.attempt}`
  const startTime = deps.clock().getTime()
  const key = `${job.jobId}:${job.attempt}`
  const run = await deps.runs.createRun({ experimentId, name, user: job.requestedBy, startTime, tags, key }, { signal })
  await onRun(run.runId)
  progress.say(`run ${run.runId} in experiment '${job.experiment}'`)
  return run
}

async function upload(
  deps: AttemptDeps,
  { progress, signal }: AttemptContext,
  run: TrackedRun,
  model: TrainedModel,
  outputDir: string,
  record: Record<string, unknown>,
): Promise<void> {
  const recordFile = join(outputDir, 'reproducibility.json')
  await writeFile(recordFile, `${JSON.stringify(record, null, 2)}\n`)
  const files = [
    ...model.modelFiles.map((file) => ({ name: `${MODEL_FOLDER}/${file}`, path: join(model.modelDir, file) })),
    ...model.reportFiles.map((file) => ({ name: `${REPORT_FOLDER}/${file}`, path: join(model.reportDir, file) })),
    { name: basename(recordFile), path: recordFile },
  ]
  progress.say(`uploading ${files.length} files`)
  progress.share = 0.95
  for (const { name, path } of files) await deps.runs.uploadArtifact(run, name, () => createReadStream(path), { signal })
}

async function logOutcome(deps: AttemptDeps, { job, signal }: AttemptContext, run: TrackedRun, model: TrainedModel, datasetPath: string): Promise<void> {
  const { dataset } = model
  const timestamp = deps.clock().getTime()
  const metrics = Object.entries(model.metrics).map(([key, value]) => ({ key, value, timestamp, step: 0 }))
  const tags = { [RUN_TAG_DATASET_DIGEST]: dataset.digest, 'millrace.head.sha256': model.headSha256 }
  await deps.runs.logBatch(run.runId, { metrics, tags }, 'outcome', { signal })
  const profile = { ...dataset.rows, classes: dataset.classes.length, unreadable: dataset.unreadable.length, bytes: dataset.bytes }
  const data = trainingData({ name: basename(job.dataset) || 'dataset', path: datasetPath, digest: dataset.digest, profile })
  await deps.runs.logDataset(run.runId, data, { signal })
}
