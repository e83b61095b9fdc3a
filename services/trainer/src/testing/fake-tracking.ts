import { buffer } from 'node:stream/consumers'
import { AppError, TransientError } from '@millrace/platform/errors.ts'
import type { CallOptions, ServiceClient } from '@millrace/platform/http/client.ts'
import { refuseInsideTransaction } from '@millrace/platform/sql/sql.ts'
import { z } from 'zod'

const pairs = z.array(z.object({ key: z.string(), value: z.string() }))
const points = z.array(z.object({ key: z.string(), value: z.number(), step: z.int(), timestamp: z.int() }))
const bodies = {
  experiment: z.object({ name: z.string() }),
  run: z.object({ experiment_id: z.string(), run_name: z.string(), user_id: z.string(), tags: pairs }),
  batch: z.object({ run_id: z.string(), metrics: points, params: pairs, tags: pairs }),
  inputs: z.object({ run_id: z.string(), datasets: z.array(z.object({ dataset: z.looseObject({ name: z.string(), digest: z.string().max(36) }) })) }),
  update: z.object({ run_id: z.string(), status: z.string(), end_time: z.int() }),
  search: z.object({ experiment_ids: z.array(z.string()), filter: z.string() }),
}

export interface FakeRun {
  readonly runId: string
  readonly experimentId: string
  readonly user: string
  readonly tags: Record<string, string>
  readonly params: Record<string, string>
  readonly points: z.infer<typeof points>
  readonly artifacts: Map<string, Buffer>
  readonly datasets: { name: string; digest: string }[]
  status: string
  /** How often it was told FINISHED. */
  finishes: number
}

/** A tracking service in memory that keeps to the wire shapes of MLflow. */
export class FakeTracking {
  readonly experiments = new Map<string, string>()
  readonly runs: FakeRun[] = []
  /** Fails that many calls whose path holds the text. */
  failing: { text: string; times: number; refusal?: AppError } | null = null
  readonly #runOfKey = new Map<string, FakeRun>()

  readonly client: ServiceClient = {
    call: async <Response extends z.ZodType>(options: CallOptions<Response>) => options.response.parse(await this.#answer(options)),
    download: () => Promise.reject(new Error('nothing is downloaded')),
  }

  async #answer({ method, path, body, headers, stream }: Pick<CallOptions<z.ZodType>, 'method' | 'path' | 'body' | 'headers' | 'stream'>): Promise<unknown> {
    refuseInsideTransaction(`${method} ${path}`)
    this.#failIfAsked(path)
    const name = path.replace(/^\/api\/2\.0\//, '').replace(/\?.*$/, '')
    if (name.startsWith('mlflow-artifacts/') && stream) return this.#put(name, await buffer(stream))
    if (name === 'mlflow/experiments/get-by-name') return this.#experiment(decodeURIComponent(path.split('experiment_name=')[1] ?? ''))
    if (name === 'mlflow/experiments/create') return this.#createExperiment(bodies.experiment.parse(body).name)
    if (name === 'mlflow/runs/create') return this.#createRun(bodies.run.parse(body), headers?.['idempotency-key'] ?? '')
    if (name === 'mlflow/runs/log-batch') return this.#log(bodies.batch.parse(body))
    if (name === 'mlflow/runs/log-inputs') return this.#inputs(bodies.inputs.parse(body))
    if (name === 'mlflow/runs/update') return this.#update(bodies.update.parse(body))
    if (name === 'mlflow/runs/search') return this.#search(bodies.search.parse(body))
    throw new Error(`unexpected ${method} ${path}`)
  }

  #failIfAsked(path: string): void {
    if (!this.failing || this.failing.times === 0 || !path.includes(this.failing.text)) return
    this.failing.times -= 1
    throw this.failing.refusal ?? new TransientError('tracking is away')
  }

  #experiment(name: string): unknown {
    const id = this.experiments.get(name)
    if (!id) throw new AppError('RESOURCE_DOES_NOT_EXIST', `Could not find experiment with name '${name}'`)
    return { experiment: { experiment_id: id, name, lifecycle_stage: 'active' } }
  }

  #createExperiment(name: string): unknown {
    const id = String(this.experiments.size + 1)
    this.experiments.set(name, id)
    return { experiment_id: id }
  }

  #createRun({ experiment_id: experimentId, user_id: user, tags }: z.infer<typeof bodies.run>, key: string): unknown {
    const existing = this.#runOfKey.get(key)
    const fresh = (): FakeRun => {
      const data = { tags: Object.fromEntries(tags.map((tag) => [tag.key, tag.value])), params: {}, points: [], artifacts: new Map(), datasets: [] }
      return { runId: `run${this.runs.length + 1}`, experimentId, user, ...data, status: 'RUNNING', finishes: 0 }
    }
    const run = existing ?? fresh()
    if (!existing) this.runs.push(run)
    this.#runOfKey.set(key, run)
    return { run: { info: this.#info(run), data: {} } }
  }

  #info({ runId, experimentId, status }: FakeRun): Record<string, string> {
    const artifact_uri = `mlflow-artifacts:/${experimentId}/${runId}/artifacts`
    return { run_id: runId, run_name: runId, experiment_id: experimentId, status, artifact_uri, lifecycle_stage: 'active' }
  }

  run(runId: string): FakeRun {
    const run = this.runs.find((candidate) => candidate.runId === runId)
    if (!run) throw new AppError('RESOURCE_DOES_NOT_EXIST', `Run with id=${runId} not found`)
    return run
  }

  #log({ run_id, metrics, params, tags }: z.infer<typeof bodies.batch>): unknown {
    const run = this.run(run_id)
    run.points.push(...metrics)
    for (const { key, value } of params) run.params[key] = value
    for (const { key, value } of tags) run.tags[key] = value
    return {}
  }

  #inputs({ run_id, datasets }: z.infer<typeof bodies.inputs>): unknown {
    this.run(run_id).datasets.push(...datasets.map(({ dataset }) => dataset))
    return {}
  }

  #update({ run_id, status }: z.infer<typeof bodies.update>): unknown {
    const run = this.run(run_id)
    if (status === 'FINISHED' && run.status !== 'FINISHED') run.finishes += 1
    run.status = status
    return { run_info: this.#info(run) }
  }

  #search({ filter }: z.infer<typeof bodies.search>): unknown {
    const wanted = [...filter.matchAll(/tags\.([\w.]+) = '([^']*)'/g)]
    const found = this.runs.filter((run) => wanted.every(([, key = '', value]) => run.tags[key] === value))
    return { runs: found.map((run) => ({ info: this.#info(run), data: {} })) }
  }

  #put(name: string, content: Buffer): unknown {
    const [, runId = '', path = ''] = /^mlflow-artifacts\/artifacts\/[^/]+\/([^/]+)\/artifacts\/(.+)$/.exec(name) ?? []
    this.run(runId).artifacts.set(path, content)
    return {}
  }
}
