import type { SealResponse } from '@millrace/contracts/http/tracking.ts'
import { canonicalManifest, type ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import type { TrackingDeps } from '../deps.ts'
import { invalid, missing } from '../refusals.ts'
import { listTree } from '../store/artifacts.ts'
import { holdContents, touchContents } from '../store/contents.ts'
import { pinManifest, releasePin, saveManifest } from '../store/manifests.ts'
import { locateSource } from './locate-source.ts'

const MAX_FILES = 10_000
const MAX_PATH = 1024

/**
 * Lists the files of an artifact, stores the list as a blob and pins it for `holder`: from then on neither overwriting nor deleting an artifact changes or
 * removes what the list names. The same files give the same digest.
 * @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE; TransientError where the files changed meanwhile
 */
export const createSealArtifact = (deps: TrackingDeps) =>
  async function sealArtifact(request: { source: string; holder: string }): Promise<SealResponse> {
    const located = await locateSource(deps.database, request.source)
    const files = await listFiles(deps, located.path, request.source)
    const manifest = await deps.blobs.put(Buffer.from(canonicalManifest(files)))
    const now = deps.clock()
    await deps.database.transaction(async (tx) => {
      await holdContents(
        tx,
        files.map((file) => file.sha256),
        now,
      )
      await touchContents(tx, [manifest], now)
      await saveManifest(tx, manifest, files, now)
      await pinManifest(tx, manifest.sha256, request.holder, now)
    })
    if (!(await deps.blobs.stat(manifest.sha256))) throw new TransientError('an unused copy of this manifest was removed while it was sealed')
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
    deps.log.info('artifact sealed', { source: request.source, holder: request.holder, sha256: manifest.sha256, files: files.length, sizeBytes })
    return { uri: `mlflow-artifacts:/${located.path}`, sha256: manifest.sha256, sizeBytes, files, runId: located.runId }
  }

/** Paths relative to the source; a source that is one file is a list of that file by its name. */
async function listFiles(deps: TrackingDeps, path: string, source: string): Promise<ManifestFile[]> {
  const stored = await listTree(deps.database, path, MAX_FILES + 1)
  if (stored.length === 0) throw missing(`There are no artifacts at ${source}: log them before they are sealed`)
  if (stored.length > MAX_FILES) throw invalid(`There are more than ${MAX_FILES} files at ${source}: log the model in a folder of its own`)
  const files = stored.map((file) => ({
    path: file.path === path ? path.slice(path.lastIndexOf('/') + 1) : file.path.slice(path.length + 1),
    sizeBytes: file.sizeBytes,
    sha256: file.sha256,
  }))
  const long = files.find((file) => file.path.length > MAX_PATH)
  if (long) throw invalid(`The path ${long.path.slice(0, 80)}… is longer than ${MAX_PATH} characters`)
  return files.sort((left, right) => (left.path < right.path ? -1 : 1))
}

/** Ends a holder's pin; one that is not held is fine. */
export const createReleaseArtifact = (deps: TrackingDeps) =>
  async function releaseArtifact(sha256: string, holder: string): Promise<void> {
    await deps.database.transaction((tx) => releasePin(tx, sha256, holder, deps.clock()))
  }
