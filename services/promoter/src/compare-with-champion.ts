import type { Artifact } from '@millrace/contracts/events/fields.ts'
import type { Run } from '@millrace/contracts/http/tracking.ts'
import { evaluationStatus, RUN_TAG_DATASET_DIGEST, RUN_TAG_DATASET_PATH } from '@millrace/contracts/http/trainer.ts'
import type { ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { EVALUATION_FILE, type Evaluation, MODEL_SPEC_FILE } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { PromoterDeps } from './deps.ts'
import type { Facts, Measured } from './domain/gates.ts'
import { readStoredEvaluation, tagOf } from './evidence.ts'

type CompareDeps = Pick<PromoterDeps, 'blobs' | 'tracking' | 'trainer'>

export interface Challenger {
  readonly decisionId: string
  readonly artifact: Artifact
  readonly files: readonly ManifestFile[]
  readonly run: Run | null
}

interface Snapshot {
  readonly dataset: string
  readonly datasetDigest: string
}

const missing = (reason: string): { kind: 'missing'; reason: string } => ({ kind: 'missing', reason })

/** Whether a model says how the rows of a data set become its inputs; a network alone does not. */
export const canBeRunOnData = (files: readonly ManifestFile[]): boolean => files.some(({ path }) => path === MODEL_SPEC_FILE)

/**
 * The answers that were stored with two models of which one cannot be run on a data set here. Where either has none there is nothing to compare, which is
 * said and not held against the model: its other gates still judge it.
 */
export async function compareStored(
  deps: CompareDeps,
  challenger: Pick<Challenger, 'files' | 'run'>,
  champion: Pick<Challenger, 'files' | 'run'>,
  signal: AbortSignal,
): Promise<Facts['evaluations']> {
  const [own, other] = await Promise.all([challenger, champion].map(({ files, run }) => readStoredEvaluation(deps, files, run, signal)))
  if (own && other) return { kind: 'measured', value: { challenger: own, champion: other } }
  const reason = `a model without ${MODEL_SPEC_FILE} cannot be run on a data set, and ${own ? 'that version' : 'this one'} brought no ${EVALUATION_FILE}`
  return { kind: 'waived', reason }
}

/**
 * Both models' answers on the test rows of the data that the challenger learned from. The trainer runs the champion over them, and the challenger where its
 * own answers were not stored. Null while the trainer is still at it.
 */
export async function compareWithChampion(
  deps: CompareDeps,
  challenger: Challenger,
  champion: Artifact,
  signal: AbortSignal,
): Promise<Facts['evaluations'] | null> {
  const dataset = tagOf(challenger.run, RUN_TAG_DATASET_PATH)
  const datasetDigest = tagOf(challenger.run, RUN_TAG_DATASET_DIGEST)
  if (dataset === null || datasetDigest === null) {
    return missing(`the run names no data set (tags ${RUN_TAG_DATASET_PATH} and ${RUN_TAG_DATASET_DIGEST}), and figures of different data say nothing`)
  }
  const snapshot = { dataset, datasetDigest }
  const asked = await askTrainer(deps, challenger.decisionId, champion, snapshot, signal)
  const stored = await readStoredEvaluation(deps, challenger.files, challenger.run, signal)
  const own: Measured<Evaluation> | null =
    stored?.datasetDigest === datasetDigest
      ? { kind: 'measured', value: stored }
      : await askTrainer(deps, challenger.decisionId, challenger.artifact, snapshot, signal)
  if (asked === null || own === null) return null
  if (asked.kind === 'missing') return asked
  if (own.kind === 'missing') return own
  return { kind: 'measured', value: { challenger: own.value, champion: asked.value } }
}

/** The key makes a repeated question find the evaluation that is already there. Null while it runs. */
async function askTrainer(
  deps: CompareDeps,
  decisionId: string,
  artifact: Artifact,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<Measured<Evaluation> | null> {
  const { uri, sha256, sizeBytes, format } = artifact
  const key = `${decisionId}:${sha256}:${snapshot.datasetDigest}`
  try {
    const begun = await deps.trainer.call({
      method: 'POST',
      path: '/api/v1/training/evaluations',
      body: { artifact: { uri, sha256, sizeBytes, format }, ...snapshot },
      headers: { 'idempotency-key': key },
      response: evaluationStatus,
      signal,
    })
    const path = `/api/v1/training/evaluations/${encodeURIComponent(begun.evaluationId)}`
    const status = await deps.trainer.call({ method: 'GET', path, response: evaluationStatus, signal })
    if (status.state === 'failed') return missing(status.message)
    return status.state === 'succeeded' && status.evaluation ? { kind: 'measured', value: status.evaluation } : null
  } catch (error) {
    if (error instanceof AppError) return missing(`the trainer refused: ${error.message}`)
    throw error
  }
}
