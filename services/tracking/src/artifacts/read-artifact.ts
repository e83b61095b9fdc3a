import type { Readable } from 'node:stream'
import { AppError } from '@millrace/platform/errors.ts'
import type { TrackingDeps } from '../deps.ts'
import { joinPath } from '../domain/artifact-path.ts'
import { bucketUri } from '../domain/bucket-place.ts'
import { readLoggedModel } from '../models/change-logged-model.ts'
import { invalid, missing, runMissing } from '../refusals.ts'
import { deleteArtifacts, findArtifact, isDirectory, type ListedFile, listDirectory, type StoredFile } from '../store/artifacts.ts'
import { findRun } from '../store/runs.ts'
import { listPlace } from './list-place.ts'
import { requireFilePath, requirePath } from './paths.ts'
import { below, type Place, requirePlace } from './place.ts'

export interface Download {
  readonly file: Pick<StoredFile, 'path' | 'sizeBytes'>
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

type BucketFolder = Extract<Place, { kind: 'bucket' }>

async function downloadFromBucket({ place, reader }: BucketFolder): Promise<Download> {
  try {
    const { content, sizeBytes } = await reader.open(place)
    return { file: { path: place.key, sizeBytes }, content }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'RESOURCE_DOES_NOT_EXIST') throw error
    const [file] = await reader.tree(place, 1)
    if (file) throw invalid(`'${bucketUri(place)}' is a directory: list it and download its files`)
    throw missing(`No such artifact: '${bucketUri(place)}'`)
  }
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
  readonly nextPageToken: string | null
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createListRunArtifacts = (deps: TrackingDeps) =>
  async function listRunArtifacts(runId: string, rawPath: string, pageToken: string): Promise<RunListing> {
    const directory = requirePath(rawPath)
    const run = await findRun(deps.database, runId)
    if (!run) throw runMissing(runId)
    const { files, nextPageToken } = await listPlace(deps, below(requirePlace(deps, run.artifactUri), directory), pageToken)
    return { root: run.artifactUri, files: files.map((file) => ({ path: joinPath(directory, file.name), file })), nextPageToken }
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createDownloadRunArtifact = (deps: TrackingDeps) => {
  const download = createDownloadArtifact(deps)
  return async function downloadRunArtifact(runId: string, rawPath: string): Promise<Download> {
    const path = requireFilePath(rawPath)
    const run = await findRun(deps.database, runId)
    if (!run) throw runMissing(runId)
    const place = below(requirePlace(deps, run.artifactUri), path)
    return place.kind === 'store' ? download(place.path) : downloadFromBucket(place)
  }
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createDownloadModelArtifact = (deps: TrackingDeps) => {
  const download = createDownloadArtifact(deps)
  return async function downloadModelArtifact(modelId: string, rawPath: string): Promise<Download> {
    const path = requireFilePath(rawPath)
    const model = await readLoggedModel(deps.database, modelId)
    const place = below(requirePlace(deps, model.artifactUri), path)
    return place.kind === 'store' ? download(place.path) : downloadFromBucket(place)
  }
}
