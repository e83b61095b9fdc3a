import type { Sql } from '@millrace/platform/sql/sql.ts'
import { joinPath } from '../domain/artifact-path.ts'
import { parseArtifactSource } from '../domain/artifact-source.ts'
import type { LoggedModel } from '../domain/logged-model.ts'
import { invalid, loggedModelMissing, runMissing } from '../refusals.ts'
import { isDirectory } from '../store/artifacts.ts'
import { findLoggedModel, findModelOfRun } from '../store/logged-models.ts'
import { findRun } from '../store/runs.ts'
import { requireProxied } from './paths.ts'

export interface Located {
  /** In the artifact store. */
  readonly path: string
  /** Run that wrote it, where it can be told. */
  readonly runId: string | null
}

/** Where the files of a source lie. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export async function locateSource(sql: Sql, source: string): Promise<Located> {
  const parsed = parseArtifactSource(source)
  if (!parsed)
    throw invalid(`Invalid artifact source '${source}'. Expected mlflow-artifacts:/<path>, runs:/<run id>/<path> or models:/m-<id>, without '..' or '#'`)
  switch (parsed.kind) {
    case 'path':
      return { path: parsed.path, runId: await runOfPath(sql, parsed.path) }
    case 'run':
      return locateInRun(sql, parsed.runId, parsed.path)
    case 'logged-model': {
      const model = await findLoggedModel(sql, parsed.modelId)
      if (!model || model.lifecycle === 'deleted') throw loggedModelMissing(parsed.modelId)
      return inModel(model, parsed.path)
    }
  }
}

const inModel = (model: LoggedModel, path: string): Located => ({
  path: joinPath(requireProxied(model.artifactUri), path),
  runId: model.sourceRunId || null,
})

/** Newer clients keep what `log_model(name=…)` writes beside the run, as a logged model of that name. */
async function locateInRun(sql: Sql, runId: string, path: string): Promise<Located> {
  const run = await findRun(sql, runId)
  if (!run) throw runMissing(runId)
  const located = { path: joinPath(requireProxied(run.artifactUri), path), runId }
  if (await isDirectory(sql, located.path)) return located
  const [name = '', ...rest] = path.split('/')
  const model = name === '' ? null : await findModelOfRun(sql, runId, name)
  return model ? { ...inModel(model, rest.join('/')), runId } : located
}

/** By the usual layout: `<experiment>/<run>/artifacts/…` and `<experiment>/models/<model>/artifacts/…`. */
async function runOfPath(sql: Sql, path: string): Promise<string | null> {
  const modelId = /(?:^|\/)models\/(m-[\w-]+)\/artifacts(?:\/|$)/.exec(path)?.[1]
  if (modelId !== undefined) return (await findLoggedModel(sql, modelId))?.sourceRunId || null
  const runId = /(?:^|\/)([\w-]+)\/artifacts(?:\/|$)/.exec(path)?.[1]
  return runId === undefined ? null : ((await findRun(sql, runId))?.runId ?? null)
}
