import { keyOf, type WantedVersion } from './domain/serving-plan.ts'
import { asLoadFailure, type LoadFailure } from './load-failure.ts'
import type { LoadedVersion } from './loaded-version.ts'

interface Loading {
  readonly wanted: WantedVersion
  readonly abort: AbortController
  readonly done: Promise<void>
}

export interface LoadQueueOptions {
  readonly load: (wanted: WantedVersion, signal: AbortSignal, reserve: (bytes: number) => void) => Promise<LoadedVersion>
  /** What is to be loaded, the most urgent first. */
  readonly next: () => readonly WantedVersion[]
  readonly onLoaded: (loaded: LoadedVersion) => void
  readonly onFailed: (wanted: WantedVersion, failure: LoadFailure) => void
  /** After either, or after an abort. */
  readonly onEnded: (wanted: WantedVersion) => void
}

export interface LoadQueue {
  /** Begins what can begin. */
  pump(): void
  /** Gives up what a newer record does not ask for. */
  abortUnless(isWanted: (wanted: WantedVersion) => boolean): void
  /** Resolves when none of these is waiting or loading any more, however it ended. */
  ended(wanted: readonly WantedVersion[]): Promise<void>
  readonly idle: boolean
  /** Memory that is set aside for what is loading, that of one model left out. */
  reservedBytes(exceptModel: string): number
  stop(): Promise<void>
}

/** Loading must not slow down what is serving; but a model that is tried for half a minute must not keep all others waiting either. */
const LANES = 2

const idOf = (wanted: WantedVersion): string => JSON.stringify([wanted.model, keyOf(wanted)])

/** A few loads at a time, one for each model. */
export function createLoadQueue({ load, next, onLoaded, onFailed, onEnded }: LoadQueueOptions): LoadQueue {
  const loading = new Map<string, Loading>()
  const reserved = new Map<string, number>()
  const waiting = new Set<() => void>()
  /** Thousands of requests may wait for the same load. */
  const ends = new Map<string, Promise<void>>()
  let stopped = false

  function pump(): void {
    for (const wanted of next()) {
      if (stopped || loading.size >= LANES) return
      if (loading.has(wanted.model)) continue
      const abort = new AbortController()
      loading.set(wanted.model, { wanted, abort, done: loadOne(wanted, abort.signal) })
    }
  }

  async function loadOne(wanted: WantedVersion, signal: AbortSignal): Promise<void> {
    try {
      onLoaded(await load(wanted, signal, (bytes) => void reserved.set(wanted.model, bytes)))
    } catch (error) {
      if (!signal.aborted) onFailed(wanted, asLoadFailure(error, 'open'))
    }
    loading.delete(wanted.model)
    reserved.delete(wanted.model)
    onEnded(wanted)
    for (const look of waiting) look()
    pump()
  }

  return {
    pump,
    abortUnless(isWanted) {
      for (const { wanted, abort } of loading.values()) if (!isWanted(wanted)) abort.abort(new Error('a newer serving state came'))
    },
    ended(wanted) {
      const ids = new Set(wanted.map(idOf))
      const key = [...ids].join()
      const known = ends.get(key)
      if (known !== undefined) return known
      const { promise, resolve } = Promise.withResolvers<void>()
      ends.set(key, promise)
      const look = () => {
        if (!stopped && next().some((pending) => ids.has(idOf(pending)))) return
        waiting.delete(look)
        ends.delete(key)
        resolve()
      }
      waiting.add(look)
      look()
      return promise
    },
    get idle() {
      return loading.size === 0
    },
    reservedBytes: (exceptModel) => [...reserved].reduce((sum, [model, bytes]) => sum + (model === exceptModel ? 0 : bytes), 0),
    async stop() {
      stopped = true
      for (const look of [...waiting]) look()
      for (const { abort } of loading.values()) abort.abort(new Error('the pod is stopping'))
      await Promise.all([...loading.values()].map(({ done }) => done))
    },
  }
}
