import type { SealResponse } from '@millrace/contracts/http/tracking.ts'
import { canonicalManifest, type ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import type { TrackingDeps, TrackingParts } from '../deps.ts'
import { cleanArtifactPath, INVALID_PATH } from '../domain/artifact-path.ts'
import { invalid, missing, refuseIf } from '../refusals.ts'
import { listTree, type StoredFile } from '../store/artifacts.ts'
import { holdContents, touchContents } from '../store/contents.ts'
import { pinManifest, releasePin, saveManifest } from '../store/manifests.ts'
import { awaitUploads } from '../uploads/take-in.ts'
import { createCopyExternal } from './copy-external.ts'
import { locateSource } from './locate-source.ts'
import { type Place, uriOfPlace } from './place.ts'

const MAX_FILES = 10_000
const MAX_PATH = 1024

/**
 * Lists the files of an artifact, stores the list as a blob and pins it for `holder`: from then on neither overwriting nor deleting an artifact changes or
 * removes what the list names. Files in a bucket are copied first. The same files give the same digest.
 * @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE, PAYLOAD_TOO_LARGE; TransientError where the files changed meanwhile
 */
export function createSealArtifact(deps: TrackingParts) {
  const readFiles = createReadFiles(deps)
  return async function sealArtifact(request: { source: string; holder: string; signal: AbortSignal }): Promise<SealResponse> {
    const { place, runId } = await locateSource(deps, request.source)
    const files = await readFiles(place, request.source, request.signal)
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
    return { uri: uriOfPlace(place), sha256: manifest.sha256, sizeBytes, files, runId }
  }
}

function createReadFiles(deps: TrackingParts) {
  const copyExternal = createCopyExternal(deps)
  return async function readFiles(place: Place, source: string, signal: AbortSignal): Promise<ManifestFile[]> {
    if (place.kind === 'store') {
      await awaitUploads(deps, place.path)
      const files = await listTree(deps.database, place.path, MAX_FILES + 1)
      refuseIf(problemOfPaths(place.path, requireSome(files, source)))
      return relativeTo(place.path, files)
    }
    const found = await place.reader.tree(place.place, MAX_FILES + 1)
    const { key } = place.place
    const paths = requireSome(found, source).map((file) => ({ path: file.place.key }))
    refuseIf(problemOfPaths(key, paths) ?? problemOfKeys(key, paths))
    return relativeTo(key, await copyExternal(place.reader, found, signal))
  }
}

function requireSome<File>(files: readonly File[], source: string): readonly File[] {
  if (files.length === 0) throw missing(`There are no artifacts at ${source}: log them before they are sealed`)
  if (files.length > MAX_FILES) throw invalid(`There are more than ${MAX_FILES} files at ${source}: log the model in a folder of its own`)
  return files
}

/** A source that is one file is a list of that file by its name. */
const relativePath = (root: string, path: string): string => (path === root ? root.slice(root.lastIndexOf('/') + 1) : path.slice(root.length + 1))

function relativeTo(root: string, stored: readonly StoredFile[]): ManifestFile[] {
  const files = stored.map(({ path, sizeBytes, sha256 }) => ({ path: relativePath(root, path), sizeBytes, sha256 }))
  return files.sort((left, right) => (left.path < right.path ? -1 : 1))
}

function problemOfPaths(root: string, files: readonly { path: string }[]): string | null {
  const long = files.map((file) => relativePath(root, file.path)).find((path) => path.length > MAX_PATH)
  return long === undefined ? null : `The path ${long.slice(0, 80)}… is longer than ${MAX_PATH} characters`
}

/** Anyone may have chosen the keys, and whoever serves the files writes them to a disk. */
function problemOfKeys(root: string, files: readonly { path: string }[]): string | null {
  const paths = new Set(files.map((file) => relativePath(root, file.path)))
  for (const path of paths) {
    if (cleanArtifactPath(path) !== path) return `The key ${JSON.stringify(path.slice(0, 80))} is no path of a file. ${INVALID_PATH}`
    const above = path.split('/').slice(0, -1)
    const file = above.map((_, index) => above.slice(0, index + 1).join('/')).find((folder) => paths.has(folder))
    if (file !== undefined) return `'${file}' is both a file and a folder: log the model in a folder of its own`
  }
  return null
}

/** Ends a holder's pin; one that is not held is fine. */
export const createReleaseArtifact = (deps: TrackingDeps) =>
  async function releaseArtifact(sha256: string, holder: string): Promise<void> {
    await deps.database.transaction((tx) => releasePin(tx, sha256, holder, deps.clock()))
  }
