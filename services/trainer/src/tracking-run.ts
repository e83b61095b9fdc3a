import { createReadStream } from 'node:fs'
import { createExperimentResponse, emptyResponse, experimentResponse, runInfoResponse, runResponse } from '@millrace/contracts/http/tracking.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import { pauseFor } from '@millrace/platform/events/signal.ts'
import type { ServiceClient } from '@millrace/platform/http/client.ts'
import { z } from 'zod'

const API = '/api/2.0/mlflow'
const UPLOAD_TRIES = 3
const UPLOAD_PAUSE_MS = 250
const UPLOAD_TIMEOUT_MS = 300_000

/** A run in tracking, and where its artifacts go. */
export interface TrackedRun {
  readonly runId: string
  /** Path below the artifact proxy. */
  readonly artifactRoot: string
}

interface Pair {
  readonly key: string
  readonly value: string
}

export interface MetricPoint {
  readonly key: string
  readonly value: number
  readonly timestamp: number
  readonly step: number
}

export const pairsOf = (values: Readonly<Record<string, string>>): Pair[] => Object.entries(values).map(([key, value]) => ({ key, value }))

/** The experiment's id, or null where there is none of that name. */
export async function findExperiment(tracking: ServiceClient, name: string, signal: AbortSignal): Promise<string | null> {
  try {
    const path = `${API}/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`
    return (await tracking.call({ method: 'GET', path, response: experimentResponse, signal })).experiment.experiment_id
  } catch (error) {
    if (error instanceof AppError && error.code === 'RESOURCE_DOES_NOT_EXIST') return null
    throw error
  }
}

/** Two jobs may ask for a new experiment at once: the one that comes second finds it. */
export async function ensureExperiment(tracking: ServiceClient, name: string, signal: AbortSignal): Promise<string> {
  const found = await findExperiment(tracking, name, signal)
  if (found) return found
  try {
    return (await tracking.call({ method: 'POST', path: `${API}/experiments/create`, body: { name }, response: createExperimentResponse, signal }))
      .experiment_id
  } catch (error) {
    const again = error instanceof AppError && error.code === 'RESOURCE_ALREADY_EXISTS' ? await findExperiment(tracking, name, signal) : null
    if (again) return again
    throw error
  }
}

export interface NewRun {
  readonly experimentId: string
  readonly name: string
  readonly user: string
  readonly startTime: number
  readonly tags: Readonly<Record<string, string>>
  /** A repeated call answers with the run of the first. */
  readonly key: string
}

export async function createRun(tracking: ServiceClient, run: NewRun, signal: AbortSignal): Promise<TrackedRun> {
  const body = { experiment_id: run.experimentId, run_name: run.name, user_id: run.user, start_time: run.startTime, tags: pairsOf(run.tags) }
  const headers = { 'idempotency-key': run.key }
  const answer = await tracking.call({ method: 'POST', path: `${API}/runs/create`, body, headers, response: runResponse, signal })
  const { run_id: runId, artifact_uri: uri } = answer.run.info
  const artifactRoot = uri.match(/^mlflow-artifacts:\/+([^?#]+)$/)?.[1]
  if (artifactRoot) return { runId, artifactRoot }
  throw new AppError('INVALID_PARAMETER_VALUE', `The artifacts of the experiment lie at ${uri}: choose one whose artifacts tracking itself keeps`)
}

/** MLflow takes a thousand entries in a batch, all kinds together. */
const BATCH_METRICS = 800

/** What a metric may be called; anything else, such as a bracket in a class name, becomes an underscore. */
const metricName = (key: string): string => key.replace(/[^\w.\-/: ]/g, '_').slice(0, 250)

/** Repeating a batch changes nothing, so it is safe to ask again after a lost reply. Figures that are not numbers are left out. */
export async function logBatch(
  tracking: ServiceClient,
  runId: string,
  batch: { metrics?: readonly MetricPoint[]; params?: readonly Pair[]; tags?: readonly Pair[] },
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const points = (batch.metrics ?? []).filter(({ value }) => Number.isFinite(value)).map((point) => ({ ...point, key: metricName(point.key) }))
  for (let from = 0; from === 0 || from < points.length; from += BATCH_METRICS) {
    const rest = from === 0 ? { params: batch.params ?? [], tags: batch.tags ?? [] } : {}
    const body = { run_id: runId, metrics: points.slice(from, from + BATCH_METRICS), ...rest }
    const headers = { 'idempotency-key': `${runId}:${key}:${from}` }
    await tracking.call({ method: 'POST', path: `${API}/runs/log-batch`, body, headers, response: emptyResponse, signal })
  }
}

export interface LoggedDataset {
  readonly name: string
  readonly path: string
  readonly digest: string
  readonly profile: Readonly<Record<string, unknown>>
}

const SHOWN_DIGITS = 8

/** MLflow's digest is short; the whole one travels in the source and in the run's tags. */
export async function logDataset(tracking: ServiceClient, runId: string, dataset: LoggedDataset, signal: AbortSignal): Promise<void> {
  const { name, path, digest, profile } = dataset
  const source = JSON.stringify({ uri: path, sha256: digest })
  const entry = { name: name.slice(0, 500), digest: digest.slice(0, SHOWN_DIGITS), source_type: 'local', source, profile: JSON.stringify(profile) }
  const body = { run_id: runId, datasets: [{ tags: [{ key: 'mlflow.data.context', value: 'training' }], dataset: entry }] }
  const headers = { 'idempotency-key': `${runId}:inputs` }
  await tracking.call({ method: 'POST', path: `${API}/runs/log-inputs`, body, headers, response: emptyResponse, signal })
}

/** Uploads a file, again where the way there failed. */
export async function uploadFile(tracking: ServiceClient, run: TrackedRun, name: string, file: string, signal: AbortSignal): Promise<void> {
  const path = `/api/2.0/mlflow-artifacts/artifacts/${`${run.artifactRoot}/${name}`.split('/').map(encodeURIComponent).join('/')}`
  for (let tried = 1; ; tried += 1) {
    try {
      const headers = { 'content-type': 'application/octet-stream' }
      await tracking.call({ method: 'PUT', path, stream: createReadStream(file), headers, response: z.unknown(), timeoutMs: UPLOAD_TIMEOUT_MS, signal })
      return
    } catch (error) {
      if (!(error instanceof TransientError) || tried === UPLOAD_TRIES || signal.aborted) throw error
      await pauseFor(UPLOAD_PAUSE_MS * tried, signal)
    }
  }
}

export async function endRun(tracking: ServiceClient, end: { runId: string; status: string; endTime: Date }, signal: AbortSignal): Promise<void> {
  const body = { run_id: end.runId, status: end.status, end_time: end.endTime.getTime() }
  const headers = { 'idempotency-key': `${end.runId}:${end.status}` }
  await tracking.call({ method: 'POST', path: `${API}/runs/update`, body, headers, response: runInfoResponse, signal })
}

const foundRuns = z.looseObject({ runs: z.array(z.looseObject({ info: z.looseObject({ run_id: z.string(), status: z.string() }) })).optional() })

/** Runs by their tags. Tags are made of ids and numbers here, so that nothing needs quoting. */
export async function findRuns(
  tracking: ServiceClient,
  experimentId: string,
  tags: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ runId: string; status: string }[]> {
  const filter = Object.entries(tags)
    .map(([key, value]) => `tags.${key} = '${value}'`)
    .join(' and ')
  const body = { experiment_ids: [experimentId], filter, max_results: 10 }
  const answer = await tracking.call({ method: 'POST', path: `${API}/runs/search`, body, headers: { 'idempotency-key': filter }, response: foundRuns, signal })
  return (answer.runs ?? []).map(({ info }) => ({ runId: info.run_id, status: info.status }))
}
