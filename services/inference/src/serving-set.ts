import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import { crashPoint } from '@millrace/platform/crash-point.ts'
import type { Log } from '@millrace/platform/log.ts'
import {
  type ArmPlan,
  isNewer,
  keyOf,
  type LoadStatus,
  newArms,
  type PlannedArm,
  planArms,
  unneeded,
  type WantedVersion,
  wantedBy,
} from './domain/serving-plan.ts'
import { asLoadFailure, type LoadFailure } from './load-failure.ts'
import type { LoadVersion } from './load-version.ts'
import type { LoadedVersion } from './loaded-version.ts'

/** An arm with the version that answers in it. */
export interface ServedArm {
  readonly arm: PlannedArm
  readonly loaded: LoadedVersion
}

/** What a request sees of a model: one immutable value, replaced as a whole at a swap. */
export interface ServedModel {
  readonly model: string
  readonly salt: string | null
  readonly production: ServedArm | null
  readonly candidates: readonly ServedArm[]
  /** The newest record, whether or not it is applied already. */
  readonly state: ServingState
}

export interface ServingSetDeps {
  readonly load: LoadVersion
  readonly log: Log
  /** How long requests on a version that was replaced may hold it. */
  readonly drainMs: number
  readonly onSwap: (served: ServedModel, announced: readonly ServedArm[]) => void
  /** Once for each version, generation and failure. */
  readonly onFailed: (wanted: WantedVersion, generation: number, failure: LoadFailure) => void
  readonly onFreed: (loaded: LoadedVersion) => void
}

interface Tracked {
  /** Failures under this record that were told already. */
  readonly reported: Set<string>
  state: ServingState
  plan: ArmPlan | null
  served: ServedModel
}

/** Models by name, the versions that are loaded for them, and the one load in progress. */
export class ServingSet {
  readonly #deps: ServingSetDeps
  readonly #models = new Map<string, Tracked>()
  readonly #loaded = new Map<string, Map<string, LoadedVersion>>()
  /** By artifact digest: the bytes decide, whatever version or model carries them. */
  readonly #failures = new Map<string, LoadFailure>()
  readonly #retiring = new Set<Promise<void>>()
  #loading: { wanted: WantedVersion; abort: AbortController; done: Promise<void> } | null = null
  readonly #stopping = new AbortController()

  constructor(deps: ServingSetDeps) {
    this.#deps = deps
  }

  /** The one way in: applies the record if its generation is greater than the one held. Says whether it was. */
  apply(state: ServingState): boolean {
    const tracked = this.#models.get(state.model)
    if (this.#stopping.signal.aborted || !isNewer(tracked?.state, state)) return false
    const served = tracked?.served ?? { model: state.model, salt: state.salt, production: null, candidates: [], state }
    this.#models.set(state.model, { state, reported: new Set(), plan: tracked?.plan ?? null, served: { ...served, state } })
    this.#abortUnwanted()
    this.#settle(state.model)
    this.#pump()
    return true
  }

  /** Tries again what failed for reasons that may have passed. */
  retryTransient(): void {
    for (const [digest, failure] of this.#failures) if (failure.kind === 'transient') this.#failures.delete(digest)
    this.#pump()
  }

  get(model: string): ServedModel | null {
    return this.#models.get(model)?.served ?? null
  }

  all(): ServedModel[] {
    return [...this.#models.values()].map(({ served }) => served)
  }

  versions(): LoadedVersion[] {
    return [...this.#loaded.values()].flatMap((versions) => [...versions.values()])
  }

  statusOf(wanted: WantedVersion): { status: LoadStatus; failure: LoadFailure | null } {
    const failure = this.#failures.get(wanted.artifact.sha256) ?? null
    return { status: this.#status(wanted.model, keyOf(wanted), wanted.artifact.sha256), failure }
  }

  /** Whether every version that any record asks for is either loaded or known not to load. */
  get settled(): boolean {
    return this.#next() === null && this.#loading === null
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    const loading = this.#loading
    loading?.abort.abort(new Error('the pod is stopping'))
    await loading?.done
    await Promise.all([...this.versions().map((version) => version.retire(this.#deps.drainMs)), ...this.#retiring])
  }

  #status(model: string, key: string, digest: string): LoadStatus {
    if (this.#loaded.get(model)?.has(key)) return 'ready'
    return this.#failures.has(digest) ? 'failed' : 'pending'
  }

  #isWanted({ model, version, artifact }: WantedVersion): boolean {
    const state = this.#models.get(model)?.state
    return state !== undefined && wantedBy(state).some((wanted) => keyOf(wanted) === keyOf({ version, artifact }))
  }

  #abortUnwanted(): void {
    if (this.#loading && !this.#isWanted(this.#loading.wanted)) this.#loading.abort.abort(new Error('a newer serving state came'))
  }

  /** Production of any model before any candidate. */
  #next(): WantedVersion | null {
    const wanted = [...this.#models.values()].flatMap(({ state }) => wantedBy(state))
    const pending = wanted.filter((version) => this.#status(version.model, keyOf(version), version.artifact.sha256) === 'pending')
    return pending.find(({ arm }) => arm === 'production') ?? pending[0] ?? null
  }

  /** One load at a time: loading must not slow down what is serving. */
  #pump(): void {
    const wanted = this.#stopping.signal.aborted || this.#loading ? null : this.#next()
    if (!wanted) return
    const abort = new AbortController()
    this.#loading = { wanted, abort, done: Promise.resolve() }
    this.#loading.done = this.#loadOne(wanted, abort.signal).finally(() => {
      this.#loading = null
      this.#settle(wanted.model)
      this.#pump()
    })
  }

  async #loadOne(wanted: WantedVersion, signal: AbortSignal): Promise<void> {
    try {
      const loaded = await this.#deps.load(wanted, signal)
      crashPoint('mid_reload')
      const versions = this.#loaded.get(wanted.model) ?? new Map<string, LoadedVersion>()
      this.#loaded.set(wanted.model, versions.set(loaded.key, loaded))
    } catch (error) {
      if (!signal.aborted) this.#failures.set(wanted.artifact.sha256, asLoadFailure(error, 'open'))
    }
  }

  /** Makes requests see what the newest record allows, in one assignment, and frees what nobody needs. */
  #settle(model: string): void {
    const tracked = this.#models.get(model)
    if (!tracked) return
    const digests = new Map(wantedBy(tracked.state).map((wanted) => [keyOf(wanted), wanted.artifact.sha256]))
    const plan = planArms(tracked.state, tracked.plan, (key) => this.#status(model, key, digests.get(key) ?? ''))
    if (plan !== tracked.plan) this.#swap(tracked, plan)
    this.#reportFailures(tracked)
    this.#free(model, tracked)
  }

  #swap(tracked: Tracked, plan: ArmPlan): void {
    const announced = newArms(tracked.plan, plan)
    const { state } = tracked
    const versions = this.#loaded.get(state.model)
    const bind = (arm: PlannedArm): ServedArm[] => {
      const loaded = versions?.get(arm.key)
      return loaded ? [{ arm, loaded }] : []
    }
    tracked.plan = plan
    tracked.served = {
      model: state.model,
      salt: plan.salt,
      production: plan.production ? (bind(plan.production)[0] ?? null) : null,
      candidates: plan.candidates.flatMap(bind),
      state,
    }
    this.#deps.onSwap(tracked.served, announced.flatMap(bind))
  }

  #reportFailures({ state, reported }: Tracked): void {
    for (const wanted of wantedBy(state)) {
      const failure = this.#failures.get(wanted.artifact.sha256)
      if (!failure || this.#status(state.model, keyOf(wanted), wanted.artifact.sha256) === 'ready') continue
      const report = JSON.stringify([keyOf(wanted), failure.kind, failure.stage])
      if (reported.has(report)) continue
      reported.add(report)
      this.#deps.onFailed(wanted, state.generation, failure)
    }
  }

  #free(model: string, { plan, state }: Tracked): void {
    const versions = this.#loaded.get(model)
    for (const key of unneeded(versions?.keys() ?? [], plan, state)) {
      const loaded = versions?.get(key)
      versions?.delete(key)
      if (!loaded) continue
      const retired = loaded.retire(this.#deps.drainMs).catch((error: unknown) => this.#deps.log.warn('a version could not be freed', { model, key, error }))
      this.#retiring.add(retired)
      void retired.then(() => {
        this.#retiring.delete(retired)
        this.#deps.onFreed(loaded)
      })
    }
  }
}

/** All arms of a model, Production first. */
export const servedArms = ({ production, candidates }: ServedModel): ServedArm[] => [...(production ? [production] : []), ...candidates]
