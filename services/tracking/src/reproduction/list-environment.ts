import type { RunReproduction } from '@millrace/contracts/http/tracking.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { type Place, requirePlace, uriOfPlace } from '../artifacts/place.ts'
import type { TrackingParts } from '../deps.ts'
import { environmentFiles, environmentKind } from '../domain/reproduction.ts'
import type { RunView } from '../read-run.ts'
import { findNamedFiles } from '../store/artifacts.ts'
import { findLoggedModel } from '../store/logged-models.ts'
import { awaitUploads } from '../uploads/take-in.ts'

type EnvironmentFile = RunReproduction['environment'][number]

const MAX_FILES = 100
/** A bucket can only be listed whole. */
const MAX_LISTED = 5000

/** The files that say what a run was made with: in its own folder, and in those of the logged models that it wrote. */
export async function listEnvironment(deps: TrackingParts, { run, links }: RunView): Promise<EnvironmentFile[]> {
  const models = await Promise.all(links.outputs.map((link) => findLoggedModel(deps.database, link.modelId)))
  const roots = [run.artifactUri, ...models.flatMap((model) => (model && model.lifecycle === 'active' ? [model.artifactUri] : []))]
  const found: EnvironmentFile[] = []
  for (const root of new Set(roots)) found.push(...(await listIn(deps, root)))
  return found.slice(0, MAX_FILES)
}

async function listIn(deps: TrackingParts, root: string): Promise<EnvironmentFile[]> {
  const place = placeOf(deps, root)
  if (place === null) return []
  if (place.kind === 'bucket') {
    const files = await place.reader.tree(place.place, MAX_LISTED)
    return files.flatMap((file) => describe(uriOfPlace({ ...place, place: file.place }), file.sizeBytes, null))
  }
  await awaitUploads(deps, place.path)
  const files = await findNamedFiles(deps.database, place.path, environmentFiles, MAX_FILES)
  return files.flatMap((file) => describe(uriOfPlace({ kind: 'store', path: file.path }), file.sizeBytes, file.sha256))
}

function describe(uri: string, sizeBytes: number, sha256: string | null): EnvironmentFile[] {
  const kind = environmentKind(uri)
  return kind === null ? [] : [{ uri, kind, sizeBytes, sha256 }]
}

/** Null for a root in a store that this server does not read. */
function placeOf(deps: TrackingParts, root: string): Place | null {
  try {
    return requirePlace(deps, root)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}
