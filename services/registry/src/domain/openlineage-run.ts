import type { OpenLineageRun } from '@millrace/contracts/events/openlineage-events.ts'
import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { RUN_EVENT_SCHEMA } from '@millrace/contracts/openlineage/check-run-event.ts'
import { datasetFacets, type FacetRule, inputFacets, jobFacets, outputFacets, runFacets } from '@millrace/contracts/openlineage/facet-rules.ts'
import { z } from 'zod'
import { addressOf } from './dataset-address.ts'
import { dvcPointerOf } from './dvc-pointer.ts'

/** Names the code that writes the events. */
const PRODUCER = 'https://schemas.millrace.io/openlineage/registry'
const OWN_FACETS = 'https://schemas.millrace.io/openlineage/facets'
/** Versions and logged models as OpenLineage's data sets: `models:/fish/7`. */
const MODELS = 'models:'
const MAX_PARAMETERS = 200
const MAX_TEXT = 500
const MAX_DATASETS = 100

type Facet = { _producer: string; _schemaURL: string } & Record<string, unknown>
type Dataset = NonNullable<OpenLineageRun['inputs']>[number]

const facet = (rule: FacetRule, fields: Record<string, unknown>): Facet => ({ _producer: PRODUCER, _schemaURL: rule.url, ...fields })
const ownFacet = (name: string, fields: Record<string, unknown>): Facet => ({ _producer: PRODUCER, _schemaURL: `${OWN_FACETS}/${name}/1-0-0.json`, ...fields })
const cut = (text: string): string => text.slice(0, MAX_TEXT)
const jobType = (type: string): Facet => facet(jobFacets.jobType, { processingType: 'BATCH', integration: 'MILLRACE', jobType: type })

/** A training run, as far as it is known when it begins or ends. */
export type TrainingRun = Pick<RunFinished, 'runId' | 'experimentId' | 'runName' | 'user' | 'startTime' | 'tags'> &
  Partial<Pick<RunFinished, 'status' | 'endTime' | 'params' | 'metrics' | 'datasets' | 'outputs'>>

export interface VersionOutput {
  readonly model: string
  readonly version: number
  readonly sizeBytes: number | null
}

export interface RunContext {
  readonly namespace: string
  readonly runUuid: string
  /** Of the run that this one is a part of. */
  readonly parentUuid: string | null
  readonly at: string
  /** Versions that the run became. */
  readonly versions: readonly VersionOutput[]
}

/** All runs of an experiment are runs of one job. */
const jobNameOf = (experimentId: string): string => `experiment-${experimentId}.train`

/** The key of an event on its topic, by the job of the run that it is a part of: a run and its parts stay in order. */
export function partitionKeyOf({ run, job }: Pick<OpenLineageRun, 'job' | 'run'>): string {
  const parent = parentJob.safeParse(run.facets?.['parent'])
  const { namespace, name } = parent.success ? parent.data.job : job
  return `run:${namespace}/${name}`
}

const parentJob = z.looseObject({ job: z.looseObject({ namespace: z.string(), name: z.string() }) })

const ends: Readonly<Record<string, string>> = { FINISHED: 'COMPLETE', FAILED: 'FAIL', KILLED: 'ABORT' }

/** What OpenLineage is told when a training run begins (`status` left out) or ends. Inputs and outputs are repeated at the end: some read nothing else. */
export function describeTrainingRun(run: TrainingRun, context: RunContext): OpenLineageRun {
  const { status } = run
  return {
    eventType: status === undefined ? 'START' : (ends[status] ?? 'OTHER'),
    eventTime: context.at,
    producer: PRODUCER,
    schemaURL: RUN_EVENT_SCHEMA,
    run: { runId: context.runUuid, facets: facetsOfRun(run, context) },
    job: { namespace: context.namespace, name: jobNameOf(run.experimentId), facets: facetsOfJob(run) },
    inputs: (run.datasets ?? []).slice(0, MAX_DATASETS).map((dataset) => inputOf(dataset, run.tags, context.namespace)),
    outputs: [...context.versions.map(outputOf), ...(run.outputs ?? []).slice(-MAX_DATASETS).map(({ modelId }) => ({ namespace: MODELS, name: modelId }))],
  }
}

function facetsOfRun(run: TrainingRun, { namespace, parentUuid }: RunContext): Record<string, Facet> {
  const parent = { run: { runId: parentUuid }, job: { namespace, name: jobNameOf(run.experimentId) } }
  const parameters = Object.entries(run.params ?? {}).slice(0, MAX_PARAMETERS)
  const engine = run.tags['framework'] ?? run.tags['mlflow.autologging']
  const { runId, experimentId, runName, user, status = 'RUNNING', metrics = {} } = run
  return {
    ...(run.startTime
      ? { nominalTime: facet(runFacets.nominalTime, { nominalStartTime: run.startTime, ...(run.endTime ? { nominalEndTime: run.endTime } : {}) }) }
      : {}),
    ...(parentUuid === null ? {} : { parent: facet(runFacets.parent, { ...parent, root: parent }) }),
    ...(engine ? { processing_engine: facet(runFacets.processing_engine, { version: run.tags['framework_version'] ?? 'unknown', name: cut(engine) }) } : {}),
    ...(parameters.length > 0
      ? { executionParameters: facet(runFacets.executionParameters, { parameters: parameters.map(([key, value]) => ({ key: cut(key), value: cut(value) })) }) }
      : {}),
    ...(status === 'FAILED' || status === 'KILLED'
      ? { errorMessage: facet(runFacets.errorMessage, { message: `The run ended ${status}`, programmingLanguage: 'unknown' }) }
      : {}),
    millrace_run: ownFacet('MillraceRun', {
      runId,
      experimentId,
      runName: cut(runName),
      user: cut(user),
      status,
      metrics: Object.fromEntries(Object.entries(metrics).slice(0, MAX_PARAMETERS)),
    }),
  }
}

function facetsOfJob({ tags }: TrainingRun): Record<string, Facet> {
  const [repository, commit, branch] = ['repoURL', 'commit', 'branch'].map((name) => tags[`mlflow.source.git.${name}`])
  const url = repository === undefined ? null : gitUrl(repository)
  const version = { ...(commit === undefined ? {} : { version: cut(commit) }), ...(branch === undefined ? {} : { branch: cut(branch) }) }
  return {
    jobType: jobType('TRAINING'),
    ...(url === null ? {} : { sourceCodeLocation: facet(jobFacets.sourceCodeLocation, { type: 'git', url, ...version }) }),
    ...(commit === undefined ? {} : { millrace_code: ownFacet('MillraceCode', { commit: cut(commit), entryPoint: cut(tags['mlflow.source.name'] ?? '') }) }),
  }
}

/** Without user and password; `git@host:path` becomes a URL; null for what is none. */
function gitUrl(repository: string): string | null {
  const ssh = /^[\w.-]+@([\w.-]+):(.+)$/.exec(repository)
  const text = ssh ? `ssh://${ssh[1]}/${ssh[2]}` : repository
  const url = /^(https?|ssh|git):\/\/(?:[^/@]*@)?([\w.:-]+\/[^\s]*)$/.exec(text)
  return url ? `${url[1]}://${url[2]}`.slice(0, MAX_TEXT) : null
}

function inputOf(dataset: RunFinished['datasets'][number], tags: Readonly<Record<string, string>>, namespace: string): Dataset {
  const { name, digest, context, sourceType = null, source = null, rows } = dataset
  const dvc = dvcPointerOf({ name, sourceType, source }, tags)
  const address = addressOf(source) ?? { namespace, name }
  const version = facet(datasetFacets.version, { datasetVersion: dvc?.md5 ? `md5:${dvc.md5}` : digest })
  const own = ownFacet('MillraceDataset', { name, digest, context, sourceType, ...(dvc ? { dvc } : {}) })
  const counted =
    rows === undefined ? {} : { inputFacets: { dataQualityMetrics: facet(inputFacets.dataQualityMetrics, { rowCount: rows, columnMetrics: {} }) } }
  return { ...address, facets: { version, millrace_dataset: own }, ...counted }
}

const outputOf = ({ model, version, sizeBytes }: VersionOutput): Dataset => ({
  namespace: MODELS,
  name: `${model}/${version}`,
  facets: {
    version: facet(datasetFacets.version, { datasetVersion: String(version) }),
    millrace_modelVersion: ownFacet('MillraceModelVersion', { model, version: String(version) }),
  },
  ...(sizeBytes === null ? {} : { outputFacets: { outputStatistics: facet(outputFacets.outputStatistics, { size: sizeBytes }) } }),
})

export interface RegisteredVersion extends VersionOutput {
  readonly source: string
  readonly loggedModelId: string | null
  /** Of the run that wrote the files, where it is known. */
  readonly experimentId: string | null
}

/** What OpenLineage is told when a version is READY: its files became a version, as a part of the run that wrote them where that is known. */
export function describeRegistration(registered: RegisteredVersion, context: Omit<RunContext, 'versions'>): OpenLineageRun {
  const { namespace, parentUuid, runUuid } = context
  const { experimentId } = registered
  const parent = parentUuid === null || experimentId === null ? null : { run: { runId: parentUuid }, job: { namespace, name: jobNameOf(experimentId) } }
  return {
    eventType: 'COMPLETE',
    eventTime: context.at,
    producer: PRODUCER,
    schemaURL: RUN_EVENT_SCHEMA,
    run: { runId: runUuid, facets: parent ? { parent: facet(runFacets.parent, { ...parent, root: parent }) } : {} },
    job: { namespace, name: `register.${registered.model}`, facets: { jobType: jobType('REGISTRATION') } },
    inputs: [filesOf(registered)],
    outputs: [outputOf(registered)],
  }
}

function filesOf({ source, loggedModelId }: RegisteredVersion): Dataset {
  if (loggedModelId !== null) return { namespace: MODELS, name: loggedModelId }
  const [, scheme = MODELS, name = source] = /^([a-z0-9+-]+:)\/*(.+)$/i.exec(source) ?? []
  return { ...(addressOf(source) ?? { namespace: scheme, name }) }
}
