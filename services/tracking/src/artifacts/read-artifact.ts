import type { Readable } from 'node:stream'
import type { TrackingDeps } from '../deps.ts'
import { joinPath } from '../domain/artifact-path.ts'
import { invalid, missing, runMissing } from '../refusals.ts'
import { deleteArtifacts, findArtifact, isDirectory, type ListedFile, listDirectory, type StoredFile } from '../store/artifacts.ts'
import { findRun } from '../store/runs.ts'
import { requireFilePath, requirePath, requireProxied } from './paths.ts'

export interface Download {
  readonly file: StoredFile
  readonly content: Readable
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE for a directory */
export const createDownloadArtifact = (deps: TrackingDeps) =>
  async function downloadArtifact(rawPath: string): Promise<Download> {
    const path = requireFilePath(rawPath)
    const file = await findArtifact(deps.database, path)
    if (file) return { file, content: await deps.blobs.open(file.sha256) }
    if (await isDirectory(deps.database, path)) throw invalid(`'${path}' is a directory: list it and download its files`)
    throw missing(`No such artifact: '${path}'`)
  }

/** What lies directly in a directory; nothing for a file or what is missing. @throws AppError INVALID_PARAMETER_VALUE */
export const createListArtifacts = (deps: TrackingDeps) =>
  async function listArtifacts(rawPath: string): Promise<ListedFile[]> {
    return listDirectory(deps.database, requirePath(rawPath))
  }

/** Removes a file or a tree; a missing one is fine. What is sealed stays readable by digest. @throws AppError INVALID_PARAMETER_VALUE */
export const createDeleteArtifact = (deps: TrackingDeps) =>
  async function deleteArtifact(rawPath: string): Promise<void> {
    await deleteArtifacts(deps.database, requireFilePath(rawPath))
  }

export interface RunListing {
  readonly root: string
  /** With paths relative to the root. */
  readonly files: readonly { path: string; file: ListedFile }[]
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createListRunArtifacts = (deps: TrackingDeps) =>
  async function listRunArtifacts(runId: string, rawPath: string): Promise<RunListing> {
    const directory = requirePath(rawPath)
    const run = await findRun(deps.database, runId)
    if (!run) throw runMissing(runId)
    const files = await listDirectory(deps.database, joinPath(requireProxied(run.artifactUri), directory))
    return { root: run.artifactUri, files: files.map((file) => ({ path: joinPath(directory, file.name), file })) }
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createDownloadRunArtifact = (deps: TrackingDeps) => {
  const download = createDownloadArtifact(deps)
  return async function downloadRunArtifact(runId: string, rawPath: string): Promise<Download> {
    const path = requireFilePath(rawPath)
    const run = await findRun(deps.database, runId)
    if (!run) throw runMissing(runId)
    return download(joinPath(requireProxied(run.artifactUri), path))
  }
}
