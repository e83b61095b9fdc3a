import { RUN_TAG_REGISTER } from '@millrace/contracts/http/trainer.ts'
import type { Located, Locator, LocatorInput, Locators } from '@millrace/platform/access/permission.ts'
import type { Resource } from '@millrace/platform/access/rights.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Database } from '@millrace/platform/sql/sql.ts'
import { z } from 'zod'
import { cleanArtifactPath } from '../domain/artifact-path.ts'
import { proxiedPath } from '../domain/artifact-source.ts'
import { parseExperimentId } from '../domain/experiment.ts'
import { experimentsBelow, experimentsById, experimentsByName, experimentsOfModels, experimentsOfRoots, experimentsOfRuns } from './store.ts'

const maybeText = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(null)
const texts = z
  .union([z.array(z.string()), z.string().transform((one) => [one])])
  .nullish()
  .catch(null)
const tag = z.object({ key: z.string(), value: maybeText })

/** Whatever a request may name an experiment by; what it really says is for its route to judge. */
const named = z.looseObject({
  ...{ experiment_id: maybeText, id: maybeText, experiment_ids: texts, experiment_name: maybeText, name: maybeText, new_name: maybeText },
  ...{ run_id: texts, run_ids: texts, run_uuid: texts, model_id: maybeText, path: maybeText, artifact_location: maybeText },
  metrics: z
    .array(z.object({ model_id: maybeText }))
    .nullish()
    .catch(null),
  ...{ key: maybeText, value: maybeText, tags: z.array(tag).nullish().catch(null) },
})
type Named = z.infer<typeof named>

const fieldsOf = ({ params, query, body }: LocatorInput): Named =>
  named.parse({ ...z.looseObject({}).catch({}).parse(body), ...z.looseObject({}).catch({}).parse(query), ...z.looseObject({}).catch({}).parse(params) })

/** A tag that has a run registered as a version is a change of that model, whoever makes it. */
function modelsToRegister({ tags, key, value }: Named): Located[] {
  const all = [...(tags ?? []), ...(typeof key === 'string' ? [{ key, value }] : [])]
  return all.flatMap((each) => (each.key === RUN_TAG_REGISTER && each.value ? [{ kind: 'model' as const, name: each.value, needs: 'EDIT' as const }] : []))
}

const idsOf = (texts: readonly string[]): number[] => texts.map(parseExperimentId).filter((id) => id !== null)

/** Nothing is let through for want of a name. */
function some<Name>(names: readonly (Name | null | undefined)[], what: string): Name[] {
  const given = names.filter((name): name is Name => name !== null && name !== undefined && name !== '')
  if (given.length === 0) throw new AppError('INVALID_PARAMETER_VALUE', `Missing value for required parameter '${what}'.`)
  return given
}

/** The segments of a path, and every folder that it lies in, itself included. */
function placesOf(path: string): { segments: string[]; roots: string[] } {
  const segments = path.split('/')
  return { segments, roots: segments.map((_, end) => segments.slice(0, end + 1).join('/')).filter((root) => root !== '') }
}

/** @throws AppError PERMISSION_DENIED for what lies outside of every experiment: that is not for one who has no right on all of them */
export async function experimentsOfPath(database: Database, raw: string): Promise<Resource[]> {
  const path = cleanArtifactPath(raw)
  // The route refuses such a path in its own words.
  if (path === null) return []
  const { segments, roots } = placesOf(path)
  const found = await experimentsOfRoots(database, roots, segments)
  if (found.length > 0) return found
  throw new AppError('PERMISSION_DENIED', 'Permission denied: this path belongs to no experiment, so only a caller with a right on all experiments may use it.')
}

/** What is removed with a folder may belong to experiments that lie deeper inside it as well. */
async function experimentsOfTree(database: Database, raw: string): Promise<Resource[]> {
  return [...(await experimentsOfPath(database, raw)), ...(await experimentsBelow(database, cleanArtifactPath(raw) ?? ''))]
}

/**
 * Those in whose folders a new experiment wants to lie: its runs would be written among theirs. The folder that an experiment to come has by its number is nobody's yet.
 * @throws AppError PERMISSION_DENIED
 */
async function experimentsAround(database: Database, location: string): Promise<Located[]> {
  const path = proxiedPath(location)
  if (!path) return []
  const { segments, roots } = placesOf(path)
  const found = await experimentsOfRoots(database, roots, segments)
  if (found.length === 0 && /^\d+$/.test(segments[0] ?? ''))
    throw new AppError(
      'PERMISSION_DENIED',
      'Permission denied: folders that begin with a number are for the experiments of that number. Choose another location.',
    )
  return found.map((experiment) => ({ ...experiment, needs: 'EDIT' as const }))
}

/** How tracking finds the experiment that a request is about. */
export function createLocators(database: Database): Locators {
  const by =
    (find: (fields: Named) => Promise<readonly Located[]>): Locator =>
    (input) =>
      find(fieldsOf(input))
  return {
    experiment: by(async (fields) => [
      ...(await experimentsById(database, idsOf(some([fields.experiment_id, fields.id], 'experiment_id')))),
      ...(fields.new_name ? [{ kind: 'experiment' as const, name: fields.new_name, needs: 'CREATE' as const }] : []),
    ]),
    'experiment-of-run': by(async (fields) => [...(await experimentsById(database, idsOf([fields.experiment_id || '0']))), ...modelsToRegister(fields)]),
    experiments: by((fields) => experimentsById(database, idsOf(some(fields.experiment_ids ?? [], 'experiment_ids')))),
    'experiment-name': by((fields) => experimentsByName(database, some([fields.experiment_name], 'experiment_name').join(''))),
    'new-experiment': by(async (fields) => [
      { kind: 'experiment', name: fields.name ?? '' },
      ...(await experimentsAround(database, fields.artifact_location ?? '')),
    ]),
    run: by(async (fields) => [
      ...(await experimentsOfRuns(database, runsOf(fields))),
      ...(await experimentsOfModels(database, measuredModels(fields))),
      ...modelsToRegister(fields),
    ]),
    'run-or-model': by(async (fields) => (fields.model_id ? experimentsOfModels(database, [fields.model_id]) : experimentsOfRuns(database, runsOf(fields)))),
    runs: by((fields) => experimentsOfRuns(database, runsOf(fields))),
    'logged-model': by((fields) => experimentsOfModels(database, some([fields.model_id], 'model_id'))),
    'artifact-path': by((fields) => experimentsOfPath(database, fields.path ?? '')),
    'artifact-tree': by((fields) => experimentsOfTree(database, fields.path ?? '')),
  }
}

/** Also as older clients and lists in one text name them. */
const runsOf = ({ run_id: one, run_uuid: old, run_ids: list }: Named): string[] =>
  some([...(one ?? []), ...(old ?? []), ...(list ?? [])], 'run_id').flatMap((id) => id.split(','))

/** The logged models that a point of a metric is about, which may be those of another experiment. */
const measuredModels = ({ model_id: model, metrics }: Named): string[] =>
  [model, ...(metrics ?? []).map((metric) => metric.model_id)].filter((id): id is string => typeof id === 'string' && id !== '')
