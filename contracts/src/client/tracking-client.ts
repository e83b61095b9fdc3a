import { z } from 'zod'
import { createExperimentResponse, emptyResponse, experimentResponse, type Run, run, runInfoResponse, runResponse } from '../http/tracking.ts'
import { type Api, type CallSettings, codeOf, encodePath } from './api.ts'

const API = '/api/2.0/mlflow'
const UPLOAD_TIMEOUT_MS = 300_000
/** MLflow takes a thousand entries in a batch, all kinds together. */
const BATCH_METRICS = 800

/** A run, and where its artifacts go. */
export interface TrackedRun {
  readonly runId: string
  /** Path below the artifact proxy. */
  readonly artifactRoot: string
}

export interface NewRun {
  readonly experimentId: string
  readonly name: string
  readonly user: string
  /** Milliseconds since the epoch. */
  readonly startTime: number
  readonly tags: Readonly<Record<string, string>>
  /** A repeated call with the same key answers with the run of the first. */
  readonly key: string
}

export interface MetricPoint {
  readonly key: string
  readonly value: number
  readonly timestamp: number
  readonly step: number
}

export interface LoggedDataset {
  /** At most 500 characters. */
  readonly name: string
  /** At most 36 characters. */
  readonly digest: string
  readonly sourceType: string
  readonly source: string
  readonly profile: string
  /** What the run used it for, such as `training`. */
  readonly context: string
}

export interface Batch {
  readonly metrics?: readonly MetricPoint[]
  readonly params?: Readonly<Record<string, string>>
  readonly tags?: Readonly<Record<string, string>>
}

export interface RunSearch {
  readonly experimentIds: readonly string[]
  /** MLflow's grammar, such as `metrics.accuracy > 0.9 and tags.team = 'fish'`. */
  readonly filter?: string
  /** Such as `metrics.accuracy DESC`. */
  readonly orderBy?: readonly string[]
  /** Runs of one page. Default 1000. */
  readonly pageSize?: number
}

const pairs = (values: Readonly<Record<string, string>> = {}) => Object.entries(values).map(([key, value]) => ({ key, value }))

/** What a metric may be called; anything else, such as a bracket in a class name, becomes an underscore. */
const metricName = (key: string): string => key.replace(/[^\w.\-/: ]/g, '_').slice(0, 250)

const foundRuns = z.looseObject({ runs: z.array(run).optional(), next_page_token: z.string().optional() })

/** Experiments, runs and artifacts, by MLflow's REST API. Every call may be repeated without harm. @throws the errors of `api`. */
export class TrackingClient {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  /** The experiment's id, or null where there is none of that name. */
  async findExperiment(name: string, { signal }: CallSettings = {}): Promise<string | null> {
    try {
      const path = `${API}/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`
      return (await this.#api.call({ method: 'GET', path, response: experimentResponse, signal })).experiment.experiment_id
    } catch (error) {
      if (codeOf(error) === 'RESOURCE_DOES_NOT_EXIST') return null
      throw error
    }
  }

  /** The experiment's id; two callers may ask for a new one at once: the one that comes second finds it. */
  async ensureExperiment(name: string, settings: CallSettings = {}): Promise<string> {
    const found = await this.findExperiment(name, settings)
    if (found) return found
    try {
      const created = { method: 'POST', path: `${API}/experiments/create`, body: { name }, response: createExperimentResponse } as const
      return (await this.#api.call({ ...created, signal: settings.signal })).experiment_id
    } catch (error) {
      const again = codeOf(error) === 'RESOURCE_ALREADY_EXISTS' ? await this.findExperiment(name, settings) : null
      if (again) return again
      throw error
    }
  }

  /** @throws Error where the experiment's artifacts are kept elsewhere than in tracking. */
  async createRun({ experimentId, name, user, startTime, tags, key }: NewRun, settings: CallSettings = {}): Promise<TrackedRun> {
    const body = { experiment_id: experimentId, run_name: name, user_id: user, start_time: startTime, tags: pairs(tags) }
    const answer = await this.#post('runs/create', body, key, runResponse, settings)
    const { run_id: runId, artifact_uri: uri } = answer.run.info
    const artifactRoot = uri.match(/^mlflow-artifacts:\/+([^?#]+)$/)?.[1]
    if (artifactRoot) return { runId, artifactRoot }
    throw new Error(`The artifacts of the experiment lie at ${uri}: choose one whose artifacts tracking itself keeps`)
  }

  async getRun(runId: string, { signal }: CallSettings = {}): Promise<Run> {
    return (await this.#api.call({ method: 'GET', path: `${API}/runs/get?run_id=${encodeURIComponent(runId)}`, response: runResponse, signal })).run
  }

  /** Any number of metrics, in batches of what the server takes. Values that are not finite are left out. */
  async logBatch(runId: string, { metrics = [], params, tags }: Batch, key: string, settings: CallSettings = {}): Promise<void> {
    const points = metrics.filter(({ value }) => Number.isFinite(value)).map((point) => ({ ...point, key: metricName(point.key) }))
    for (let from = 0; from === 0 || from < points.length; from += BATCH_METRICS) {
      const rest = from === 0 ? { params: pairs(params), tags: pairs(tags) } : {}
      const body = { run_id: runId, metrics: points.slice(from, from + BATCH_METRICS), ...rest }
      await this.#post('runs/log-batch', body, `${runId}:${key}:${from}`, emptyResponse, settings)
    }
  }

  async logDataset(runId: string, { name, digest, sourceType, source, profile, context }: LoggedDataset, settings: CallSettings = {}): Promise<void> {
    const dataset = { name: name.slice(0, 500), digest, source_type: sourceType, source, profile }
    const body = { run_id: runId, datasets: [{ tags: [{ key: 'mlflow.data.context', value: context }], dataset }] }
    await this.#post('runs/log-inputs', body, `${runId}:inputs:${context}:${digest}`, emptyResponse, settings)
  }

  async endRun(end: { runId: string; status: 'FINISHED' | 'FAILED' | 'KILLED'; endTime: Date }, settings: CallSettings = {}): Promise<void> {
    const body = { run_id: end.runId, status: end.status, end_time: end.endTime.getTime() }
    await this.#post('runs/update', body, `${end.runId}:${end.status}`, runInfoResponse, settings)
  }

  /** Every run that matches, page by page as it is read. */
  async *searchRuns({ experimentIds, filter, orderBy, pageSize = 1000 }: RunSearch, settings: CallSettings = {}): AsyncGenerator<Run> {
    for (let token: string | undefined = ''; token !== undefined; ) {
      const body: Record<string, unknown> = { experiment_ids: experimentIds, filter, order_by: orderBy, max_results: pageSize }
      if (token) body['page_token'] = token
      const page: z.infer<typeof foundRuns> = await this.#post('runs/search', body, JSON.stringify(body), foundRuns, settings)
      yield* page.runs ?? []
      token = page.next_page_token
    }
  }

  /** `content` is opened once for every attempt. */
  async uploadArtifact({ artifactRoot }: TrackedRun, name: string, content: () => AsyncIterable<Uint8Array>, { signal }: CallSettings = {}): Promise<void> {
    const path = `/api/2.0/mlflow-artifacts/artifacts/${encodePath(`${artifactRoot}/${name}`)}`
    await this.#api.call({ method: 'PUT', path, content, response: z.unknown(), timeoutMs: UPLOAD_TIMEOUT_MS, signal })
  }

  #post<Response extends z.ZodType>(name: string, body: unknown, key: string, response: Response, { signal }: CallSettings): Promise<z.infer<Response>> {
    return this.#api.call({ method: 'POST', path: `${API}/${name}`, body, headers: { 'idempotency-key': key }, response, signal })
  }
}
