import { Readable } from 'node:stream'
import type { TrackingDeps } from '../deps.ts'
import { readLoggedModel } from '../models/change-logged-model.ts'
import { invalid, runMissing, runNotActive } from '../refusals.ts'
import { findRun } from '../store/runs.ts'
import { requireFilePath } from './paths.ts'
import { below, requirePlace } from './place.ts'
import { createUploadArtifact } from './upload-artifact.ts'

const MAX_BYTES = 10 * 1024 * 1024

/** The path in this store of a file of an active run. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE for a root that this server does not write to */
export async function requireRunPath(deps: TrackingDeps, runId: string, rawPath: string): Promise<string> {
  const path = requireFilePath(rawPath)
  const run = await findRun(deps.database, runId)
  if (!run) throw runMissing(runId)
  if (run.lifecycle === 'deleted') throw runNotActive(runId)
  return requireWritable(deps, run.artifactUri, path)
}

/** The same of a logged model. */
export async function requireModelPath(deps: TrackingDeps, modelId: string, rawPath: string): Promise<string> {
  const path = requireFilePath(rawPath)
  return requireWritable(deps, (await readLoggedModel(deps.database, modelId)).artifactUri, path)
}

function requireWritable(deps: TrackingDeps, root: string, path: string): string {
  const place = below(requirePlace(deps, root), path)
  if (place.kind === 'store') return place.path
  throw invalid(`The artifacts lie at ${root}, where this server only reads: upload them with the client that has the credentials`)
}

/** A small file that a page sends for a run. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createUploadRunArtifact = (deps: TrackingDeps) => {
  const upload = createUploadArtifact(deps)
  return async function uploadRunArtifact(request: { runId: string; path: string; content: Readable; signal: AbortSignal }): Promise<void> {
    const path = await requireRunPath(deps, request.runId, request.path)
    const content = await readSmall(request.content)
    if (content.length === 0) throw invalid('Request must specify data.')
    await upload({ path, content: Readable.from([content]), announcedBytes: content.length, signal: request.signal })
  }
}

/** Listens instead of iterating: leaving an iteration early would destroy the connection before the refusal is sent. */
function readSmall(stream: Readable): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= MAX_BYTES) chunks.push(chunk)
    else reject(invalid('Artifact size is too large. Max size is 10MB.'))
  })
  stream.once('end', () => resolve(Buffer.concat(chunks)))
  stream.once('error', reject)
  stream.once('close', () => reject(invalid('The upload broke off before it was complete.')))
  return promise
}
