import { Readable } from 'node:stream'
import type { Artifact } from '@millrace/contracts/events/fields.ts'
import type { Evaluation, Signature } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { CallOptions, ServiceClient } from '@millrace/platform/http/client.ts'
import { z } from 'zod'

export interface Call {
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly key: string | null
}

type Answer = (call: Call) => unknown

/** A sibling made of one function; it remembers what it was asked. */
export function fakeClient(answer: Answer): ServiceClient & { calls: Call[] } {
  const calls: Call[] = []
  return {
    calls,
    async call<Response extends z.ZodType>({ method, path, body, headers, response }: CallOptions<Response>) {
      const call = { method, path, body, key: headers?.['idempotency-key'] ?? null }
      calls.push(call)
      return response.parse(await answer(call))
    },
    async download(path) {
      const call = { method: 'GET', path, body: undefined, key: null }
      calls.push(call)
      return Readable.from([z.string().parse(await answer(call))])
    },
  }
}

export const notFound = (what: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', `There is no ${what}`)

export interface FakeVersion {
  readonly version: string
  readonly artifact: Artifact
  readonly signature: Signature | null
  readonly servable?: boolean
}

const AT = '2026-01-01T00:00:00.000Z'
const transitionBody = z.looseObject({ version: z.string(), expected_generation: z.int() })
const rollbackBody = z.looseObject({ version: z.string(), expectedGeneration: z.int() })

/** A registry of one model, with its rules on keys and generations. */
export class FakeRegistry {
  generation = 0
  production: string | null = null
  readonly versions = new Map<string, FakeVersion>()
  /** Runs once before the next transition: somebody else is faster. */
  beforeTransition: (() => void) | null = null
  /** Taken once, instead of the answer that was due: such as a lost reply. */
  afterTransition: (() => void) | null = null
  refuseTransition: AppError | null = null
  readonly #answers = new Map<string, unknown>()
  readonly client = fakeClient((call) => this.#answer(call))

  #answer(call: Call): unknown {
    if (call.path.endsWith('/transition-stage')) return this.#once(call, () => this.#transition(call.body))
    if (call.path.endsWith('/rollback')) return this.#once(call, () => this.#rollBack(call.body))
    const version = call.path.match(/\/versions\/(\d+)$/)?.[1]
    return version ? this.#version(version) : this.#overview()
  }

  #once(call: Call, work: () => unknown): unknown {
    const key = `${call.path} ${call.key}`
    const stored = this.#answers.get(key) ?? work()
    this.#answers.set(key, stored)
    const instead = this.afterTransition
    this.afterTransition = null
    instead?.()
    return stored
  }

  #transition(body: unknown): unknown {
    const before = this.beforeTransition
    this.beforeTransition = null
    before?.()
    if (this.refuseTransition) throw this.refuseTransition
    const { version, expected_generation: expected } = transitionBody.parse(body)
    if (expected !== this.generation) throw new AppError('STALE_GENERATION', `at generation ${this.generation}`)
    this.moveTo(version)
    const common = { name: 'fish', version, creation_timestamp: 0, last_updated_timestamp: 0, current_stage: 'Production', source: 's', status: 'READY' }
    return { model_version: common }
  }

  #rollBack(body: unknown): unknown {
    const { version, expectedGeneration } = rollbackBody.parse(body)
    if (expectedGeneration !== this.generation) throw new AppError('STALE_GENERATION', `at generation ${this.generation}`)
    const previousVersion = this.production
    this.moveTo(version)
    return { generation: this.generation, version, previousVersion }
  }

  moveTo(version: string | null): void {
    this.production = version
    this.generation += 1
  }

  #overview(): unknown {
    const production = this.production === null ? null : { version: this.production, runId: null, since: AT }
    const rest = { stage: 'None', status: 'READY', servable: true, createdAt: AT }
    const versions = [...this.versions.keys()].map((version) => ({ version, ...rest }))
    return { model: 'fish', description: '', generation: this.generation, production, versions }
  }

  #version(version: string): unknown {
    const found = this.versions.get(version)
    if (!found) throw notFound(`version ${version}`)
    const { artifact, signature, servable = true } = found
    const rest = { stage: 'None', status: 'READY', source: 's', runId: `run-${version}`, unservableReason: null, tags: {}, createdAt: AT }
    return { model: 'fish', version, artifact, signature, servable, ...rest }
  }
}

/** Runs by version, as tracking tells them. */
export const fakeTracking = (runs: ReadonlyMap<string, { metrics: Record<string, number>; tags: Record<string, string>; evaluation: Evaluation | null }>) =>
  fakeClient(({ path }) => {
    const id = path.match(/run_id=run-(\d+)/)?.[1] ?? path.match(/artifacts\/1\/run-(\d+)\//)?.[1]
    const run = runs.get(id ?? '')
    if (!run || (!run.evaluation && path.endsWith('evaluation.json'))) throw notFound('run')
    if (path.endsWith('evaluation.json')) return JSON.stringify(run.evaluation)
    const info = { run_id: `run-${id}`, run_name: 'r', experiment_id: '1', status: 'FINISHED', lifecycle_stage: 'active' }
    const pairs = (values: Record<string, unknown>) => Object.entries(values).map(([key, value]) => ({ key, value }))
    const metrics = pairs(run.metrics).map((metric) => ({ ...metric, timestamp: 0, step: 0 }))
    return { run: { info: { ...info, artifact_uri: `mlflow-artifacts:/1/run-${id}/artifacts` }, data: { metrics, tags: pairs(run.tags) } } }
  })
