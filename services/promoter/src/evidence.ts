import { text } from 'node:stream/consumers'
import type { Artifact } from '@millrace/contracts/events/fields.ts'
import { type Run, runResponse } from '@millrace/contracts/http/tracking.ts'
import { artifactManifest, type ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { EVALUATION_FILE, type Evaluation, evaluation } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { PromoterDeps } from './deps.ts'

const MAX_MANIFEST_BYTES = 4_194_304
const MAX_EVALUATION_BYTES = 67_108_864

/** The files of a sealed artifact. */
export async function readManifest(deps: Pick<PromoterDeps, 'blobs'>, artifact: Artifact): Promise<readonly ManifestFile[]> {
  const bytes = await deps.blobs.read(artifact.sha256, MAX_MANIFEST_BYTES)
  return artifactManifest.parse(JSON.parse(bytes.toString('utf8'))).files
}

/** The answer, or null where the sibling does not know the thing. */
export async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call
  } catch (error) {
    if (error instanceof AppError && error.code === 'RESOURCE_DOES_NOT_EXIST') return null
    throw error
  }
}

export async function readRun(deps: Pick<PromoterDeps, 'tracking'>, runId: string | null, signal: AbortSignal): Promise<Run | null> {
  if (runId === null) return null
  const path = `/api/2.0/mlflow/runs/get?run_id=${encodeURIComponent(runId)}`
  const answer = await orNull(deps.tracking.call({ method: 'GET', path, response: runResponse, signal }))
  return answer?.run ?? null
}

/** Latest finite value per metric. */
export const metricsOf = (run: Run | null): Record<string, number> =>
  Object.fromEntries((run?.data.metrics ?? []).map(({ key, value }) => [key, Number(value)] as const).filter(([, value]) => Number.isFinite(value)))

export const tagOf = (run: Run | null, key: string): string | null => run?.data.tags?.find((tag) => tag.key === key)?.value ?? null

/** The per-row answers that the trainer stored with the model, or beside it in the run; null where there are none that can be read. */
export async function readStoredEvaluation(
  deps: Pick<PromoterDeps, 'blobs' | 'tracking'>,
  files: readonly ManifestFile[],
  run: Run | null,
  signal: AbortSignal,
): Promise<Evaluation | null> {
  const sealed = files.find((file) => file.path === EVALUATION_FILE)
  const content = sealed ? (await deps.blobs.read(sealed.sha256, MAX_EVALUATION_BYTES)).toString('utf8') : await readBesideModel(deps, run, signal)
  return content === null ? null : parseEvaluation(content)
}

async function readBesideModel(deps: Pick<PromoterDeps, 'tracking'>, run: Run | null, signal: AbortSignal): Promise<string | null> {
  const root = run?.info.artifact_uri.match(/^mlflow-artifacts:\/+([^?#]+)$/)?.[1]
  if (!root) return null
  const path = `/api/2.0/mlflow-artifacts/artifacts/${root.split('/').map(encodeURIComponent).join('/')}/${EVALUATION_FILE}`
  const stream = await orNull(deps.tracking.download(path, { signal }))
  return stream && text(stream)
}

function parseEvaluation(content: string): Evaluation | null {
  try {
    return evaluation.parse(JSON.parse(content))
  } catch {
    // Somebody else's file of that name: the trainer is asked instead.
    return null
  }
}
