import { until } from '@millrace/platform/testing/until.ts'
import type { Answer, Client } from './client.ts'
import { type ModelFiles, scaleModel } from './models.ts'

const MLFLOW = '/api/2.0/mlflow'

export function okay(answer: Answer, what: string): Answer['body'] {
  if (answer.status >= 200 && answer.status < 300) return answer.body
  throw new Error(`${what} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
}

/** A value deep in a JSON answer; undefined where there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Object.entries(inner).find(([key]) => key === name)?.[1] : undefined),
    value,
  )
}

/** A run with the files of a model, as the MLflow client logs it. @returns the run's id */
export async function logModel(client: Client, files: ModelFiles): Promise<string> {
  const answer = await client.write((created) => `run/${String(at(created.body, 'run', 'info', 'run_id'))}`, 'tracking', 'POST', `${MLFLOW}/runs/create`, {
    body: { experiment_id: '0', start_time: Date.now() },
  })
  const run = okay(answer, 'runs/create')
  const runId = String(at(run, 'run', 'info', 'run_id'))
  const root = String(at(run, 'run', 'info', 'artifact_uri')).replace(/^mlflow-artifacts:\/+/, '')
  for (const [name, bytes] of Object.entries(files)) {
    const path = `${root}/model/${name}`
    okay(await client.write(`artifact/${path}`, 'tracking', 'PUT', `/api/2.0/mlflow-artifacts/artifacts/${path}`, { bytes }), `upload of ${name}`)
  }
  return runId
}

/** A run with a model that ends FINISHED, with tags such as `millrace.register`. @returns the run's id */
export async function finishRun(client: Client, tags: Readonly<Record<string, string>>): Promise<string> {
  const runId = await logModel(client, scaleModel(7))
  for (const [key, value] of Object.entries(tags)) {
    okay(await client.send('tracking', 'POST', `${MLFLOW}/runs/set-tag`, { body: { run_id: runId, key, value } }), 'set-tag')
  }
  const body = { run_id: runId, status: 'FINISHED', end_time: Date.now() }
  okay(await client.write(`finish/${runId}`, 'tracking', 'POST', `${MLFLOW}/runs/update`, { body }), 'runs/update')
  return runId
}

export async function createModel(client: Client, model: string): Promise<void> {
  okay(await client.send('registry', 'POST', `${MLFLOW}/registered-models/create`, { body: { name: model } }), 'registered-models/create')
}

/** Registers the model of a run and waits until it is READY. @returns the version */
export async function registerRun(client: Client, model: string, runId: string): Promise<string> {
  const body = { name: model, source: `runs:/${runId}/model`, run_id: runId }
  const versionKey = (answer: Answer): string => `version/${model}/${String(at(answer.body, 'model_version', 'version'))}`
  const created = okay(await client.write(versionKey, 'registry', 'POST', `${MLFLOW}/model-versions/create`, { body }), 'model-versions/create')
  const version = String(at(created, 'model_version', 'version'))
  await until(async () => at((await client.send('registry', 'GET', `/api/v1/models/${model}/versions/${version}`)).body, 'status') === 'READY')
  return version
}

/** Registers a scale model of each factor: version 1 is the first. */
export async function registerScales(client: Client, model: string, factors: readonly number[]): Promise<void> {
  await createModel(client, model)
  const runs = await Promise.all(factors.map((factor) => logModel(client, scaleModel(factor))))
  for (const runId of runs) await registerRun(client, model, runId)
}

export interface Promotion {
  readonly key?: string
  readonly expectedGeneration?: number
  /** Base URL of the registry, where not the real one. */
  readonly url?: string
}

/** Asks for a version in Production, as the promoter does. */
export const promote = (client: Client, model: string, version: string, { key, expectedGeneration, url }: Promotion = {}): Promise<Answer> =>
  client.write(`promotion/${model}/${version}`, 'registry', 'POST', `${MLFLOW}/model-versions/transition-stage`, {
    as: 'promoter',
    body: {
      ...{ name: model, version, stage: 'Production', archive_existing_versions: true },
      ...(expectedGeneration === undefined ? {} : { expected_generation: expectedGeneration }),
    },
    ...(key ? { headers: { 'idempotency-key': key } } : {}),
    ...(url ? { url } : {}),
  })

/** What a pod says it serves of a model in Production. */
export async function servedBy(client: Client, url: string, model: string): Promise<{ version: string; generation: number; state: string } | null> {
  const { body } = await client.send('inference', 'GET', '/api/v1/serving/models', { url })
  const models: unknown[] = Array.isArray(body['models']) ? body['models'] : []
  const found = models.find((entry) => at(entry, 'model') === model && at(entry, 'arm') === 'production' && at(entry, 'state') === 'ready')
  return found === undefined ? null : { version: String(at(found, 'version')), generation: Number(at(found, 'generation')), state: 'ready' }
}

/** Resolves when every pod answers with the version. */
export async function untilServed(client: Client, pods: readonly { url: string }[], model: string, version: string, timeoutMs = 20_000): Promise<void> {
  await until(async () => (await Promise.all(pods.map(({ url }) => servedBy(client, url, model)))).every((served) => served?.version === version), {
    timeoutMs,
    everyMs: 20,
  })
}
