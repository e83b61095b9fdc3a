import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import { crashPoint } from '@millrace/platform/crash-point.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { Resident } from './domain/choose-evictions.ts'
import { type ModelSettings, resolveSettings } from './domain/model-settings.ts'
import { type ArmPlan, armsOf, isNewer, keyOf, type LoadStatus, newArms, planArms, unneeded, type WantedVersion, wantedBy } from './domain/serving-plan.ts'
import type { LoadFailure } from './load-failure.ts'
import { createLoadQueue, type LoadQueue } from './load-queue.ts'
import type { LoadVersion } from './load-version.ts'
import type { LoadedVersion } from './loaded-version.ts'
import { type MemoryLimits, makeRoom } from './model-memory.ts'
import { bindArms, type ServedArm, type ServedModel, sameBinding, servedArms } from './served-model.ts'

export interface ServingSetDeps extends MemoryLimits {
  readonly load: LoadVersion
  readonly log: Log
  /** How long requests on a version that was replaced may hold it. */
  readonly drainMs: number
  /** How a model is served that nothing was set for. */
  readonly defaults: ModelSettings
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
  /** Versions that made room for others. */
  readonly unloaded: Set<string>
  /** Versions that are asked for again. */
  readonly waking: Set<string>
  /** The Production version before the present one, while it is kept in memory. */
  previous: { key: string; timer: NodeJS.Timeout } | null
}

/** Models by name, the versions that are loaded for them, and the loads in progress. */
export class ServingSet {
  readonly #deps: ServingSetDeps
  readonly #models = new Map<string, Tracked>()
  readonly #loaded = new Map<string, Map<string, LoadedVersion>>()
  /** By artifact digest: the bytes decide, whatever version or model carries them. */
  readonly #failures = new Map<string, LoadFailure>()
  readonly #retiring = new Set<Promise<void>>()
  readonly #loads: LoadQueue
  readonly #stopping = new AbortController()

  constructor(deps: ServingSetDeps) {
    this.#deps = deps
    this.#loads = createLoadQueue({
      load: (wanted, signal, reserve) =>
        deps.load(wanted, signal, (bytes) => {
          this.#makeRoom(wanted, bytes)
          reserve(bytes)
        }),
      next: () => this.#pending(),
      onLoaded: (loaded) => this.#keep(loaded),
      onFailed: ({ artifact }, failure) => this.#failures.set(artifact.sha256, failure),
      onEnded: ({ model }) => this.#settle(model),
    })
  }

  /** The one way in: applies the record if its generation is greater than the one held. Says whether it was. */
  apply(state: ServingState): boolean {
    const tracked = this.#models.get(state.model)
    if (this.#stopping.signal.aborted || !isNewer(tracked?.state, state)) return false
    const empty = { model: state.model, salt: state.salt, production: null, candidates: [] }
    const before = tracked ?? { served: empty, plan: null, unloaded: new Set<string>(), waking: new Set<string>(), previous: null }
    this.#models.set(state.model, { ...before, state, reported: new Set(), served: { ...before.served, state } })
    for (const loaded of this.#loaded.get(state.model)?.values() ?? []) loaded.configure(this.#settingsOf(state))
    this.#loads.abortUnless((wanted) => this.#isWanted(wanted))
    this.#settle(state.model)
    this.#loads.pump()
    return true
  }

  /** Tries again what failed for reasons that may have passed. */
  retryTransient(): void {
    for (const [digest, failure] of this.#failures) if (failure.kind === 'transient') this.#failures.delete(digest)
    this.#loads.pump()
  }

  /** Takes a digest out of service that showed only while it served that it must not run. */
  quarantine(digest: string, failure: LoadFailure): void {
    this.#failures.set(digest, failure)
    for (const [model, versions] of this.#loaded) {
      for (const [key, loaded] of versions) if (loaded.digest === digest) this.#free(versions, key)
      this.#settle(model)
    }
  }

  /** Loads again what made room for others, if that is what the request means. Null: there is nothing to wait for. */
  wake(model: string, isMeant: (wanted: WantedVersion) => boolean): Promise<void> | null {
    const tracked = this.#models.get(model)
    if (!tracked || this.#stopping.signal.aborted) return null
    const meant = wantedBy(tracked.state).filter((wanted) => this.#statusOf(wanted) !== 'ready' && isMeant(wanted))
    for (const wanted of meant) {
      if (this.#lacksRoom(wanted)) this.#failures.delete(wanted.artifact.sha256)
      else if (!tracked.unloaded.delete(keyOf(wanted))) continue
      tracked.waking.add(keyOf(wanted))
    }
    const waking = meant.filter((wanted) => tracked.waking.has(keyOf(wanted)))
    if (waking.length === 0) return null
    this.#loads.pump()
    return this.#loads.ended(waking)
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
    return { status: this.#statusOf(wanted), failure: this.#failures.get(wanted.artifact.sha256) ?? null }
  }

  /** Whether every version that any record asks for is either loaded or known not to load. */
  get settled(): boolean {
    return this.#pending().length === 0 && this.#loads.idle
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const { previous } of this.#models.values()) clearTimeout(previous?.timer)
    await this.#loads.stop()
    await Promise.all([...this.versions().map((version) => version.retire(this.#deps.drainMs)), ...this.#retiring])
  }

  #settingsOf = (state: ServingState): ModelSettings => resolveSettings(state.settings, this.#deps.defaults)

  #statusOf({ model, version, artifact }: WantedVersion): LoadStatus {
    const key = keyOf({ version, artifact })
    if (this.#loaded.get(model)?.has(key)) return 'ready'
    if (this.#failures.has(artifact.sha256)) return 'failed'
    return this.#models.get(model)?.unloaded.has(key) ? 'unloaded' : 'pending'
  }

  #isWanted(wanted: WantedVersion): boolean {
    const state = this.#models.get(wanted.model)?.state
    return state !== undefined && wantedBy(state).some((other) => keyOf(other) === keyOf(wanted))
  }

  /** Production of any model before any candidate. */
  #pending(): WantedVersion[] {
    const wanted = [...this.#models.values()].flatMap(({ state }) => wantedBy(state))
    const pending = wanted.filter((version) => this.#statusOf(version) === 'pending')
    return [...pending.filter(({ arm }) => arm === 'production'), ...pending.filter(({ arm }) => arm !== 'production')]
  }

  #lacksRoom({ artifact }: WantedVersion): boolean {
    const failure = this.#failures.get(artifact.sha256)
    return failure?.kind === 'transient' && failure.stage === 'memory'
  }

  #keep(loaded: LoadedVersion): void {
    crashPoint('mid_reload')
    const tracked = this.#models.get(loaded.model)
    tracked?.waking.delete(loaded.key)
    if (tracked) loaded.configure(this.#settingsOf(tracked.state))
    const versions = this.#loaded.get(loaded.model) ?? new Map<string, LoadedVersion>()
    this.#loaded.set(loaded.model, versions.set(loaded.key, loaded))
  }

  /** Unloads what is idle where the model would not fit otherwise. @throws LoadFailure stage memory */
  #makeRoom({ model, arm }: WantedVersion, bytes: number): void {
    const used = this.versions().reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
    const residents = [...this.#loaded].flatMap(([name, versions]) => (name === model ? this.#previousOf(name) : this.#residentsOf(name, versions)))
    // No Production version goes for a candidate.
    const mayGo = arm === 'production' ? residents : residents.filter(({ worth }) => worth !== 'production')
    for (const resident of makeRoom(this.#deps, bytes, used + this.#loads.reservedBytes(model), mayGo)) this.#unload(resident)
  }

  #residentsOf(model: string, versions: ReadonlyMap<string, LoadedVersion>): Resident[] {
    const tracked = this.#models.get(model)
    const production = tracked?.plan?.production?.key
    return [...versions.values()].map(({ key, memoryBytes, lastUsedMs, inFlight }) => {
      const worth = key === production ? 'production' : key === tracked?.previous?.key ? 'kept' : 'candidate'
      return { model, key, bytes: memoryBytes, worth, lastUsedMs, inFlight }
    })
  }

  /** Of the model that is loading only what it keeps for a rollback may go. */
  #previousOf = (model: string): Resident[] => this.#residentsOf(model, this.#loaded.get(model) ?? new Map()).filter(({ worth }) => worth === 'kept')

  #unload(resident: Resident): void {
    const { model, key } = resident
    const versions = this.#loaded.get(model)
    const tracked = this.#models.get(model)
    if (!versions || !tracked) return
    if (tracked.previous?.key === key) this.#forgetPrevious(tracked)
    else tracked.unloaded.add(key)
    this.#deps.log.info('version unloaded to make room', { model, key })
    this.#free(versions, key)
    this.#settle(model)
  }

  /** Makes requests see what the newest record allows, in one assignment, and frees what nobody needs. */
  #settle(model: string): void {
    const tracked = this.#models.get(model)
    if (!tracked || this.#stopping.signal.aborted) return
    const wanted = new Map(wantedBy(tracked.state).map((version) => [keyOf(version), version]))
    const plan = planArms(tracked.state, tracked.plan, (key) => {
      const version = wanted.get(key)
      return version ? this.#statusOf(version) : 'pending'
    })
    this.#swap(tracked, plan)
    this.#reportFailures(tracked)
    this.#freeUnneeded(model, tracked)
  }

  #swap(tracked: Tracked, plan: ArmPlan): void {
    const { state } = tracked
    const served = bindArms(state, plan, this.#loaded.get(state.model) ?? new Map())
    const announced = newArms(tracked.plan, plan)
    if (plan === tracked.plan && sameBinding(served, tracked.served)) return
    this.#keepPrevious(tracked, plan)
    tracked.plan = plan
    tracked.served = served
    this.#deps.onSwap(
      served,
      servedArms(served).filter(({ arm }) => announced.includes(arm)),
    )
  }

  /** The Production version that leaves stays for a while, so that a rollback needs no load. */
  #keepPrevious(tracked: Tracked, plan: ArmPlan): void {
    const [before, after] = [tracked.plan?.production?.key, plan.production?.key]
    const { keepPreviousMs } = this.#settingsOf(tracked.state)
    if (before === undefined || before === after || after === undefined) return
    this.#forgetPrevious(tracked)
    if (keepPreviousMs === 0) return
    const { model } = tracked.state
    const timer = setTimeout(() => {
      const now = this.#models.get(model)
      if (now?.previous?.key === before) now.previous = null
      this.#settle(model)
    }, keepPreviousMs).unref()
    tracked.previous = { key: before, timer }
  }

  #forgetPrevious(tracked: Tracked): void {
    clearTimeout(tracked.previous?.timer)
    tracked.previous = null
  }

  #reportFailures({ state, reported }: Tracked): void {
    for (const wanted of wantedBy(state)) {
      const failure = this.#failures.get(wanted.artifact.sha256)
      if (!failure || this.#statusOf(wanted) === 'ready') continue
      const report = JSON.stringify([keyOf(wanted), failure.kind, failure.stage])
      if (reported.has(report)) continue
      reported.add(report)
      this.#deps.onFailed(wanted, state.generation, failure)
    }
  }

  #freeUnneeded(model: string, { plan, state, previous, unloaded }: Tracked): void {
    const versions = this.#loaded.get(model)
    for (const key of unneeded(versions?.keys() ?? [], plan, state)) if (versions && key !== previous?.key) this.#free(versions, key)
    const needed = new Set([...armsOf(plan).map(({ key }) => key), ...wantedBy(state).map(keyOf)])
    for (const key of unloaded) if (!needed.has(key)) unloaded.delete(key)
  }

  #free(versions: Map<string, LoadedVersion>, key: string): void {
    const loaded = versions.get(key)
    if (!versions.delete(key) || !loaded) return
    const { model } = loaded
    const retired = loaded
      .retire(this.#deps.drainMs)
      .catch((error: unknown) => this.#deps.log.warn('a version could not be freed', { model, key, reason: messageOf(error) }))
    this.#retiring.add(retired)
    void retired.then(() => {
      this.#retiring.delete(retired)
      this.#deps.onFreed(loaded)
    })
  }
}
