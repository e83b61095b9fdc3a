import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '@millrace/platform/clock.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import type { Log } from '@millrace/platform/log.ts'
import { Batcher, type BatchReport, type Executor } from './batcher.ts'
import { findDifference, isBatchable } from './domain/compare-signature.ts'
import type { WantedVersion } from './domain/serving-plan.ts'
import { keyOf } from './domain/serving-plan.ts'
import { rowsOf, type Tensor } from './domain/tensor.ts'
import { sameRows, withStrangers } from './domain/warm-up.ts'
import { asLoadFailure, LoadFailure } from './load-failure.ts'
import { createHandleCount, type LoadedVersion, type StageTimes } from './loaded-version.ts'
import type { LocalArtifact } from './read-artifact.ts'
import { openSession, type Session } from './threads/session.ts'
import type { Spare } from './threads/spare.ts'
import type { Thread } from './threads/thread.ts'

export interface OpenDeps {
  /** One thread is kept ready for the next promotion. */
  readonly threads: Spare<Thread>
  readonly startThread: () => Promise<Thread>
  /** Threads for each version: the first serves at once, the others join as they come up. */
  readonly threadCount: number
  readonly maxBatchRows: number
  readonly clock: Clock
  readonly log: Log
  readonly onBatch: (version: { model: string; version: string }, batch: BatchReport) => void
}

const REOPEN_PAUSE_MS = 1000

/** Opens an artifact in the spare thread and checks that it is what was declared. @throws LoadFailure stages open, signature */
export async function openFirst(deps: OpenDeps, wanted: WantedVersion, artifact: LocalArtifact): Promise<Session> {
  const session = await openSession(await deps.threads.take(), artifact.files).catch((error: unknown) => {
    throw asLoadFailure(error, 'open')
  })
  const declared = [artifact.spec.signature, ...(wanted.signature ? [wanted.signature] : [])]
  const difference = declared.map((signature) => findDifference(signature, session.signature)).find((found) => found !== null)
  if (!difference) return session
  await session.stop()
  throw new LoadFailure('deterministic', 'signature', difference)
}

/**
 * Answers the example alone, then among rows of zeros: the first run is the slow one, and a model whose rows influence each other must not be batched.
 * @throws LoadFailure stage warm-up; the session is ended then
 */
export async function warmUp(session: Session, { example, spec }: LocalArtifact): Promise<{ batchable: boolean }> {
  try {
    const alone = await session.run(example)
    if (!isBatchable(spec.signature)) return { batchable: false }
    const among = await session.run(withStrangers(example)).catch(() => null)
    return { batchable: among !== null && sameRows(alone, among) }
  } catch (error) {
    await session.stop()
    throw asLoadFailure(error, 'warm-up')
  }
}

interface Opened {
  readonly wanted: WantedVersion
  readonly artifact: LocalArtifact
  readonly session: Session
  readonly batchable: boolean
  readonly stages: StageTimes
  readonly reservedBytes: number
}

/** The version around its first session; further threads are opened behind it, and one that is lost is replaced. */
export function createLoadedVersion(deps: OpenDeps, { wanted, artifact, session, batchable, stages, reservedBytes }: Opened): LoadedVersion {
  const { model, version } = wanted
  const handles = createHandleCount()
  const batcher = new Batcher({
    maxRows: deps.maxBatchRows,
    maxQueueRows: 8 * deps.maxBatchRows,
    batchable,
    now: () => performance.now(),
    onBatch: (batch) => deps.onBatch({ model, version }, batch),
  })
  const crew = createCrew(deps, artifact, batcher, { model, version })
  crew.join(session)
  crew.grow(deps.threadCount - 1)
  return {
    key: keyOf(wanted),
    model,
    version,
    digest: wanted.artifact.sha256,
    sizeBytes: artifact.modelBytes,
    reservedBytes,
    spec: artifact.spec,
    content: artifact.content,
    since: deps.clock(),
    stages,
    get inFlight() {
      return handles.held
    },
    get queuedRows() {
      return batcher.queuedRows
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

interface Crew {
  join(session: Session): void
  grow(count: number): void
  stop(): Promise<void>
}

/** The threads of one version. */
function createCrew(deps: OpenDeps, artifact: LocalArtifact, batcher: Batcher, name: { model: string; version: string }): Crew {
  const sessions = new Set<Session>()
  let stopped = false

  function join(session: Session): void {
    const executor: Executor = { run: (inputs) => session.run(inputs) }
    sessions.add(session)
    batcher.add(executor)
    session.onLost(() => {
      sessions.delete(session)
      batcher.remove(executor)
      deps.log.error('a model thread ended; another one is started', name)
      void open(REOPEN_PAUSE_MS)
    })
  }

  async function open(afterMs: number): Promise<void> {
    try {
      await pause(afterMs, undefined, { ref: false })
      if (stopped) return
      // Not the spare one: that waits for the next promotion.
      const session = await openSession(await deps.startThread(), artifact.files)
      await session.run(artifact.example)
      if (stopped) await session.stop()
      else join(session)
    } catch (error) {
      deps.log.warn('a further thread of a model could not be opened', { ...name, reason: messageOf(error) })
    }
  }

  return {
    join,
    grow(count) {
      for (let index = 0; index < count; index++) void open(0)
    },
    async stop() {
      stopped = true
      await Promise.all([...sessions].map((session) => session.stop()))
    },
  }
}

/** Rows of a request: dimension 0 where it is open. */
export const rowsOfInputs = (inputs: readonly Tensor[]): number => (inputs[0] ? rowsOf(inputs[0]) : 1)
