import type { Readable } from 'node:stream'
import { AppError } from '@millrace/platform/errors.ts'
import type { TrackingDeps, TrackingParts } from '../deps.ts'
import { joinPath } from '../domain/artifact-path.ts'
import { bucketUri } from '../domain/bucket-place.ts'
import { readLoggedModel } from '../models/change-logged-model.ts'
import { invalid, missing, runMissing } from '../refusals.ts'
import { deleteArtifacts, findArtifact, isDirectory, type ListedFile, listDirectory, type StoredFile } from '../store/artifacts.ts'
import { findRun } from '../store/runs.ts'
import { awaitUploads } from '../uploads/take-in.ts'
import { listPlace } from './list-place.ts'
import { requireFilePath, requirePath } from './paths.ts'
import { below, type Place, requirePlace } from './place.ts'

export interface Download {
  readonly file: Pick<StoredFile, 'path' | 'sizeBytes'>
  readonly content: Readable
}

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE for a directory */
export const createDownloadArtifact = (deps: TrackingParts) =>
  async function downloadArtifact(rawPath: string): Promise<Download> {
    const file = await requireFile(deps, requireFilePath(rawPath))
    return { file, content: await deps.blobs.open(file.sha256) }
  }

async function requireFile(deps: TrackingParts, path: string): Promise<StoredFile> {
  await awaitUploads(deps, path)
  const file = await findArtifact(deps.database, path)
  if (file) return file
  if (await isDirectory(deps.database, path)) throw invalid(`'${path}' is a directory: list it and download its files`)
  throw missing(`No such artifact: '${path}'`)
}

const PRESIGNED_SECONDS = 300

export interface SignedDownload {
  readonly url: string
  readonly sizeBytes: number
}

/** An address in the store under which clients fetch the file themselves. @throws AppError NOT_IMPLEMENTED where they cannot, RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createSignDownload = (deps: TrackingParts) =>
  async function signDownload(rawPath: string, expiresSeconds = PRESIGNED_SECONDS): Promise<SignedDownload> {
    const path = requireFilePath(rawPath)
    if (!deps.directUploads) throw new AppError('NOT_IMPLEMENTED', NO_PRESIGNING)
    const { sha256, sizeBytes } = await requireFile(deps, path)
    const url = await deps.directUploads.presignRead(sha256, { expiresSeconds, fileName: path.slice(path.lastIndexOf('/') + 1) })
    return { url, sizeBytes }
  }

const NO_PRESIGNING = 'Presigned URLs are not supported for the current artifact repository: download the file with a GET'

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
export const createListArtifacts = (deps: TrackingParts) =>
  async function listArtifacts(rawPath: string): Promise<ListedFile[]> {
    const path = requirePath(rawPath)
    await awaitUploads(deps, path)
    return listDirectory(deps.database, path)
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
export const createListRunArtifacts = (deps: TrackingParts) =>
  async function listRunArtifacts(runId: string, rawPath: string, pageToken: string): Promise<RunListing> {
    const directory = requirePath(rawPath)
    const run = await findRun(deps.database, runId)
    if (!run) throw runMissing(runId)
    const { files, nextPageToken } = await listPlace(deps, below(requirePlace(deps, run.artifactUri), directory), pageToken)
    return { root: run.artifactUri, files: files.map((file) => ({ path: joinPath(directory, file.name), file })), nextPageToken }
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createDownloadRunArtifact = (deps: TrackingParts) => {
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
export const createDownloadModelArtifact = (deps: TrackingParts) => {
  const download = createDownloadArtifact(deps)
  return async function downloadModelArtifact(modelId: string, rawPath: string): Promise<Download> {
    const path = requireFilePath(rawPath)
    const model = await readLoggedModel(deps.database, modelId)
    const place = below(requirePlace(deps, model.artifactUri), path)
    return place.kind === 'store' ? download(place.path) : downloadFromBucket(place)
  }
}
