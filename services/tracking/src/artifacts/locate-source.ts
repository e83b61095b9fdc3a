import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrackingDeps } from '../deps.ts'
import { parseArtifactSource } from '../domain/artifact-source.ts'
import type { LoggedModel } from '../domain/logged-model.ts'
import { invalid, loggedModelMissing, runMissing } from '../refusals.ts'
import { isDirectory } from '../store/artifacts.ts'
import { findLoggedModel, findModelOfRun } from '../store/logged-models.ts'
import { findRun } from '../store/runs.ts'
import { below, type Place, requireBucket, requirePlace } from './place.ts'

export interface Located {
  readonly place: Place
  /** Run that wrote it, where it can be told. */
  readonly runId: string | null
}

type LocateDeps = Pick<TrackingDeps, 'database' | 'config' | 'externalArtifacts'>

/** Where the files of a source lie. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export async function locateSource(deps: LocateDeps, source: string): Promise<Located> {
  const parsed = parseArtifactSource(source)
  if (!parsed)
    throw invalid(
      `Invalid artifact source '${source}'. Expected mlflow-artifacts:/<path>, runs:/<run id>/<path> or models:/m-<id> or s3://<bucket>/<key>, without '..' or '#'`,
    )
  switch (parsed.kind) {
    case 'path':
      return { place: { kind: 'store', path: parsed.path }, runId: await runOfPath(deps.database, parsed.path) }
    case 'bucket':
      return { place: requireBucket(deps, parsed.place), runId: await runOfPath(deps.database, parsed.place.key) }
    case 'run':
      return locateInRun(deps, parsed.runId, parsed.path)
    case 'logged-model': {
      const model = await findLoggedModel(deps.database, parsed.modelId)
      if (!model || model.lifecycle === 'deleted') throw loggedModelMissing(parsed.modelId)
      return inModel(deps, model, parsed.path)
    }
  }
}

const inModel = (deps: LocateDeps, model: LoggedModel, path: string): Located => ({
  place: below(requirePlace(deps, model.artifactUri), path),
  runId: model.sourceRunId || null,
})

/** Newer clients keep what `log_model(name=…)` writes beside the run, as a logged model of that name. */
async function locateInRun(deps: LocateDeps, runId: string, path: string): Promise<Located> {
  const run = await findRun(deps.database, runId)
  if (!run) throw runMissing(runId)
  const located = { place: below(requirePlace(deps, run.artifactUri), path), runId }
  if (await hasFiles(deps, located.place)) return located
  const [name = '', ...rest] = path.split('/')
  const model = name === '' ? null : await findModelOfRun(deps.database, runId, name)
  return model ? { ...inModel(deps, model, rest.join('/')), runId } : located
}

const hasFiles = async ({ database }: LocateDeps, place: Place): Promise<boolean> =>
  place.kind === 'store' ? isDirectory(database, place.path) : (await place.reader.tree(place.place, 1)).length > 0

/** By the usual layout: `<experiment>/<run>/artifacts/…` and `<experiment>/models/<model>/artifacts/…`. */
async function runOfPath(sql: Sql, path: string): Promise<string | null> {
  const modelId = /(?:^|\/)models\/(m-[\w-]+)\/artifacts(?:\/|$)/.exec(path)?.[1]
  if (modelId !== undefined) return (await findLoggedModel(sql, modelId))?.sourceRunId || null
  const runId = /(?:^|\/)([\w-]+)\/artifacts(?:\/|$)/.exec(path)?.[1]
  return runId === undefined ? null : ((await findRun(sql, runId))?.runId ?? null)
}
