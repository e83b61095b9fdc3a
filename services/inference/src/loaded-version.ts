import type { ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import type { BatchRequest } from './batcher.ts'
import type { ModelSettings } from './domain/model-settings.ts'
import type { Tensor } from './domain/tensor.ts'

/** Milliseconds that each step of a load took. */
export type StageTimes = Readonly<Record<string, number>>

/** A version that is open, warm and answers. Requests hold it with a counted handle while they need it. */
export interface LoadedVersion {
  readonly key: string
  readonly model: string
  readonly version: string
  readonly digest: string
  readonly sizeBytes: number
  /** Memory that it takes: what one session took when it was tried, for each of its threads. */
  readonly memoryBytes: number
  readonly threads: number
  readonly spec: ModelSpec
  /** How it is served now. */
  readonly settings: ModelSettings
  /** From now on. Threads within an operator are those it was opened with. */
  configure(settings: ModelSettings): void
  /** Content of the local cache that it was made of. */
  readonly content: readonly string[]
  readonly since: Date
  readonly stages: StageTimes
  readonly inFlight: number
  readonly queuedRows: number
  /** When a request last held it, or it was loaded; on the clock of `performance.now()`. */
  readonly lastUsedMs: number
  /** Takes a handle; give it back exactly once. */
  hold(): () => void
  /** @throws as `Batcher.submit` */
  run(request: BatchRequest): Promise<Tensor[]>
  /** Waits for the handles that are out, at most `maxMs`, then frees threads and memory. */
  retire(maxMs: number): Promise<void>
}

/** Counts handles; `drained` resolves once none is out. */
export interface HandleCount {
  readonly held: number
  readonly lastUsedMs: number
  hold(): () => void
  drained(): Promise<void>
}

export function createHandleCount(): HandleCount {
  let held = 0
  let lastUsedMs = performance.now()
  const waiting: (() => void)[] = []
  return {
    get held() {
      return held
    },
    get lastUsedMs() {
      return lastUsedMs
    },
    hold() {
      held++
      lastUsedMs = performance.now()
      let returned = false
      return () => {
        if (returned) return
        returned = true
        held--
        if (held === 0) for (const resolve of waiting.splice(0)) resolve()
      }
    },
    drained: () => (held === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
