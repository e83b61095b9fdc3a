import type { RunReproduction } from '@millrace/contracts/http/tracking.ts'
import { RUN_TAG_DATASET_DIGEST, RUN_TAG_JOB, RUN_TAG_JOB_REQUEST, type TrainingJobRequest, trainingJobRequest } from '@millrace/contracts/http/trainer.ts'
import { runSummary } from '../compare-runs.ts'
import type { TrackingParts } from '../deps.ts'
import { missingFor, seedsAmong } from '../domain/reproduction.ts'
import { type RunView, readRun } from '../read-run.ts'
import { findExperiment } from '../store/experiments.ts'
import { listEnvironment } from './list-environment.ts'

/** All that was told of how a run came about, and what is missing to repeat it. @throws AppError RESOURCE_DOES_NOT_EXIST */
export const createReadReproduction = (deps: TrackingParts) =>
  async function readReproduction(runId: string): Promise<RunReproduction> {
    const view = await readRun(deps.database, runId)
    const { run, data, links } = view
    const tags = new Map(data.tags.map((tag) => [tag.key, tag.value]))
    const code = codeOf(tags)
    const environment = await listEnvironment(deps, view)
    const trainingJob = jobOf(tags, runId)
    const seeds = seedsAmong([...data.params, ...data.tags])
    const known = {
      ...code,
      params: data.params.length,
      seeds: seeds.length,
      datasets: links.datasets.length,
      environmentKinds: environment.map((file) => file.kind),
      job: trainingJob && { hasRequest: trainingJob.request !== null, hasDataDigest: trainingJob.datasetSha256 !== null },
    }
    return {
      run: runSummary(run),
      experimentName: (await findExperiment(deps.database, run.experimentId))?.name ?? '',
      code,
      params: Object.fromEntries(data.params.map((param) => [param.key, param.value])),
      seeds: seeds.map((seed) => ({ ...seed })),
      datasets: links.datasets.map(datasetOf),
      environment,
      outputs: links.outputs.map((link) => link.modelId),
      trainingJob,
      missing: missingFor(known).map((entry) => ({ ...entry })),
    }
  }

function codeOf(tags: ReadonlyMap<string, string>) {
  const dirty = tags.get('millrace.code.dirty')
  return {
    sourceType: tags.get('mlflow.source.type') ?? null,
    sourceName: tags.get('mlflow.source.name') ?? null,
    entryPoint: tags.get('mlflow.project.entryPoint') ?? null,
    gitCommit: tags.get('mlflow.source.git.commit') ?? null,
    gitBranch: tags.get('mlflow.source.git.branch') ?? null,
    gitRepository: tags.get('mlflow.source.git.repoURL') ?? null,
    dirty: dirty === undefined ? null : dirty === 'true',
  }
}

const datasetOf = ({ dataset, tags }: RunView['links']['datasets'][number]) => ({
  name: dataset.name,
  digest: dataset.digest,
  context: tags.find((tag) => tag.key === 'mlflow.data.context')?.value ?? null,
  sourceType: dataset.sourceType,
  source: dataset.source,
})

/** Anybody may set a tag: only what the trainer would take is handed on. */
function jobOf(tags: ReadonlyMap<string, string>, runId: string) {
  const jobId = tags.get(RUN_TAG_JOB)
  if (jobId === undefined) return null
  const request = readRequest(tags.get(RUN_TAG_JOB_REQUEST) ?? '')
  return { jobId, request: request && { ...request, cause: `repeats run ${runId}` }, datasetSha256: tags.get(RUN_TAG_DATASET_DIGEST) ?? null }
}

function readRequest(text: string): TrainingJobRequest | null {
  try {
    return trainingJobRequest.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
