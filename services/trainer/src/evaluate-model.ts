import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { artifactManifest } from '@millrace/contracts/model/artifact-manifest.ts'
import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import { unpackFiles } from '@millrace/platform/blobs/unpack-files.ts'
import { AppError, messageOf } from '@millrace/platform/errors.ts'
import type { Job as BackgroundJob } from '@millrace/platform/service.ts'
import type { TrainerDeps } from './deps.ts'
import { retryPauseMs } from './domain/job.ts'
import type { TrainingEngine } from './engine.ts'
import { claimEvaluation, endEvaluation, extendEvaluation, postponeEvaluation, type StoredEvaluation } from './evaluation-store.ts'
import { PASSING } from './passing.ts'
import { resolveDataset } from './resolve-data.ts'
import { EVALUATION_FOLDER } from './sweep-scratch.ts'

export type EvaluateDeps = Pick<TrainerDeps, 'database' | 'blobs' | 'config' | 'clock' | 'log'> & { readonly engine: TrainingEngine }

const MAX_MANIFEST_BYTES = 4_194_304
const MAX_FAILURES = 5

/** Runs sealed models over the test rows that somebody asked about; beside training, so that a promotion does not wait for a job. */
export const createEvaluateJob = (deps: EvaluateDeps): BackgroundJob => ({
  name: 'evaluate-models',
  everyMs: 1000,
  async run(stopping) {
    const claimed = await claimEvaluation(deps.database, deps.clock(), leaseEnd(deps))
    if (!claimed) return false
    await workOn(deps, claimed, stopping)
    return !stopping.aborted
  },
})

const leaseEnd = (deps: EvaluateDeps): Date => new Date(deps.clock().getTime() + deps.config.TRAINER_LEASE_MS)

async function workOn(deps: EvaluateDeps, claimed: StoredEvaluation, stopping: AbortSignal): Promise<void> {
  const lost = new AbortController()
  const renew = setInterval(() => {
    extendEvaluation(deps.database, claimed, leaseEnd(deps)).then(
      (held) => held || lost.abort(),
      (error: unknown) => deps.log.warn('a lease could not be extended', { error }),
    )
  }, deps.config.TRAINER_LEASE_MS / 3)
  const timeout = AbortSignal.timeout(deps.config.TRAINER_EVALUATION_TIMEOUT_MS)
  try {
    const evaluation = await evaluate(deps, claimed, AbortSignal.any([stopping, lost.signal, timeout]))
    await endEvaluation(deps.database, claimed, { state: 'succeeded', message: `${evaluation.rows.length} rows`, evaluation, now: deps.clock() })
  } catch (error) {
    await afterFailure(deps, claimed, timeout.aborted ? tooSlow(deps, error) : error, stopping)
  } finally {
    clearInterval(renew)
  }
}

const tooSlow = (deps: EvaluateDeps, cause: unknown): AppError =>
  new AppError('INVALID_PARAMETER_VALUE', `The evaluation took longer than ${deps.config.TRAINER_EVALUATION_TIMEOUT_MS} ms`, { cause })

/** @throws AppError RESOURCE_CONFLICT when the data are not those that were asked about */
async function evaluate(deps: EvaluateDeps, asked: StoredEvaluation, signal: AbortSignal): Promise<Evaluation> {
  const { root } = await resolveDataset(deps.config.TRAINER_DATA_ROOTS, asked.dataset)
  await mkdir(deps.config.TRAINER_SCRATCH, { recursive: true })
  const modelDir = await mkdtemp(join(deps.config.TRAINER_SCRATCH, EVALUATION_FOLDER))
  try {
    await unpackArtifact(deps, asked.artifact, modelDir, signal)
    const evaluation = await deps.engine.evaluate({ modelDir, dataRoot: root, split: 'test' }, { report: () => undefined, signal })
    if (evaluation.datasetDigest !== asked.datasetDigest) throw otherData(asked, evaluation.datasetDigest)
    return evaluation
  } finally {
    await rm(modelDir, { recursive: true, force: true })
  }
}

const otherData = ({ dataset, datasetDigest }: StoredEvaluation, found: string): AppError =>
  new AppError('RESOURCE_CONFLICT', `The data in '${dataset}' have changed: their digest is ${found}, asked for was ${datasetDigest}`)

async function unpackArtifact(deps: EvaluateDeps, { sha256 }: Artifact, folder: string, signal: AbortSignal): Promise<void> {
  const manifest = artifactManifest.safeParse(JSON.parse((await deps.blobs.read(sha256, MAX_MANIFEST_BYTES)).toString('utf8')))
  if (!manifest.success) throw new AppError('INVALID_PARAMETER_VALUE', `${sha256} is no manifest of an artifact`)
  await unpackFiles(deps.blobs, manifest.data.files, folder, signal)
}

/** Refusals are final, except that a worker which died may be luckier the next time. */
async function afterFailure(deps: EvaluateDeps, claimed: StoredEvaluation, error: unknown, stopping: AbortSignal): Promise<void> {
  const now = deps.clock()
  const message = messageOf(error)
  const failures = stopping.aborted ? claimed.failures : claimed.failures + 1
  const final = error instanceof AppError && !PASSING.includes(error.code)
  if (!stopping.aborted) deps.log.warn('an evaluation failed', { evaluationId: claimed.evaluationId, failures, final, reason: message })
  if (!stopping.aborted && (final || failures >= MAX_FAILURES)) await endEvaluation(deps.database, claimed, { state: 'failed', message, evaluation: null, now })
  else await postponeEvaluation(deps.database, claimed, { dueAt: new Date(now.getTime() + retryPauseMs(failures, 500)), failures, message })
}
