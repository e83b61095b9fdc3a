import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '@millrace/platform/clock.ts'
import { Batcher, type BatchReport } from './batcher.ts'
import { Crew, type CrewDeps } from './crew.ts'
import type { ModelSettings } from './domain/model-settings.ts'
import { keyOf, type WantedVersion } from './domain/serving-plan.ts'
import { createHandleCount, type LoadedVersion, type StageTimes } from './loaded-version.ts'
import type { LocalArtifact } from './read-artifact.ts'
import type { Session } from './threads/session.ts'

export interface ServeDeps extends CrewDeps {
  readonly clock: Clock
  readonly onBatch: (version: { model: string; version: string }, batch: BatchReport) => void
  /** A batch of this digest did not come to an end. */
  readonly onStuck: (digest: string) => void
}

export interface Opened {
  readonly wanted: WantedVersion
  readonly artifact: LocalArtifact
  readonly session: Session
  readonly batchable: boolean
  readonly stages: StageTimes
  readonly sessionBytes: number
  readonly intraOpThreads: number
}

/** The version around its first session: queue, threads and handles. */
export function createLoadedVersion(deps: ServeDeps, opened: Opened, initial: ModelSettings): LoadedVersion {
  const { wanted, artifact, stages, sessionBytes, intraOpThreads } = opened
  const { model, version } = wanted
  const digest = wanted.artifact.sha256
  const handles = createHandleCount()
  let settings = initial
  const batcher = new Batcher({
    ...limitsOf(settings),
    batchable: opened.batchable,
    now: () => performance.now(),
    onBatch: (batch) => deps.onBatch({ model, version }, batch),
    onPressure: (waitMs) => crew.onPressure(waitMs),
    afterArrivals: setImmediate,
  })
  const onStuck = () => deps.onStuck(digest)
  const crew = new Crew(deps, { model, version, artifact, batcher, settings: () => settings, intraOpThreads, sessionBytes, onStuck }, opened.session)
  return {
    key: keyOf(wanted),
    model,
    version,
    digest,
    sizeBytes: artifact.modelBytes,
    get memoryBytes() {
      return sessionBytes * Math.max(1, crew.size)
    },
    get threads() {
      return crew.size
    },
    spec: artifact.spec,
    get settings() {
      return settings
    },
    configure(next) {
      settings = next
      batcher.configure(limitsOf(next))
    },
    content: artifact.content,
    since: deps.clock(),
    stages,
    get inFlight() {
      return handles.held
    },
    get queuedRows() {
      return batcher.queuedRows
    },
    get lastUsedMs() {
      return handles.lastUsedMs
    },
    hold: handles.hold,
    run: (request) => batcher.submit(request),
    async retire(maxMs) {
      const timeout = new AbortController()
      await Promise.race([handles.drained(), pause(maxMs, undefined, { signal: timeout.signal, ref: false }).catch(() => undefined)])
      timeout.abort()
      await crew.stop()
    },
  }
}

const limitsOf = ({ maxBatchRows, maxQueueRows, maxQueueDelayMs }: ModelSettings) => ({ maxRows: maxBatchRows, maxQueueRows, maxDelayMs: maxQueueDelayMs })
