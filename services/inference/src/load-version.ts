import { MODEL_SPEC_FILE } from '@millrace/contracts/model/model-spec.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { ArtifactCache } from './artifact-cache.ts'
import type { WantedVersion } from './domain/serving-plan.ts'
import { asLoadFailure, LoadFailure, type LoadStage } from './load-failure.ts'
import type { LoadedVersion } from './loaded-version.ts'
import { createLoadedVersion, type OpenDeps, openFirst, warmUp } from './open-version.ts'
import { type ProbeDeps, probeArtifact, whileOpening } from './probe-artifact.ts'
import { readArtifact } from './read-artifact.ts'
import type { Session } from './threads/session.ts'

export interface LoadDeps extends OpenDeps {
  readonly cache: ArtifactCache
  readonly probes: ProbeDeps
  readonly metrics: Metrics
  readonly memoryBytes: number
  /** What the versions that are loaded now are reckoned to take. */
  readonly reservedBytes: () => number
}

/** Loads one version. @throws LoadFailure; the reason of `signal` when a newer record made it pointless */
export type LoadVersion = (wanted: WantedVersion, signal: AbortSignal) => Promise<LoadedVersion>

/** Memory of an open model over the size of its files (reckoned, not measured). */
const MEMORY_FACTOR = 2.5
const LOAD_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** fetch and verify → memory → probe → open → signature → warm up. Nothing of it touches what is serving. */
export function createLoadVersion(deps: LoadDeps): LoadVersion {
  const seconds = deps.metrics.histogram('model_load_seconds', 'Time of each stage of loading a version.', ['model', 'version', 'stage'], LOAD_BUCKETS)
  return async function loadVersion(wanted, signal) {
    const stages: Record<string, number> = {}
    const timed = async <T>(stage: LoadStage, work: () => Promise<T>): Promise<T> => {
      const started = performance.now()
      const result = await work().catch((error: unknown) => {
        signal.throwIfAborted()
        throw asLoadFailure(error, stage)
      })
      stages[stage] = performance.now() - started
      seconds.observe({ model: wanted.model, version: wanted.version, stage }, stages[stage] / 1000)
      signal.throwIfAborted()
      return result
    }
    return load(deps, wanted, signal, { stages, timed })
  }
}

interface Timing {
  readonly stages: Record<string, number>
  timed<T>(stage: LoadStage, work: () => Promise<T>): Promise<T>
}

async function load(deps: LoadDeps, wanted: WantedVersion, signal: AbortSignal, { stages, timed }: Timing): Promise<LoadedVersion> {
  const digest = wanted.artifact.sha256
  const artifact = await timed('fetch', () => readArtifact(deps.cache, wanted.artifact, signal))
  const reservedBytes = Math.ceil(artifact.modelBytes * MEMORY_FACTOR * deps.threadCount)
  checkMemory(deps, reservedBytes)
  await timed('probe', () => probeArtifact(deps.probes, digest, artifact, signal))
  const opened: { session: Session | null } = { session: null }
  try {
    const { session, batchable } = await whileOpening(deps.probes.records, digest, async () => {
      const session = await timed('open', async () => {
        opened.session = await openFirst(deps, wanted, artifact)
        return opened.session
      })
      return { session, ...(await timed('warm-up', () => warmUp(session, artifact))) }
    })
    return createLoadedVersion(deps, { wanted, artifact, session, batchable, stages, reservedBytes })
  } catch (error) {
    await opened.session?.stop()
    throw error
  } finally {
    deps.threads.refill()
  }
}

function checkMemory(deps: LoadDeps, neededBytes: number): void {
  const free = deps.memoryBytes - deps.reservedBytes()
  if (neededBytes <= free) return
  throw new LoadFailure(
    'deterministic',
    'memory',
    `The model needs about ${neededBytes} bytes in this pod, ${Math.max(0, free)} of ${deps.memoryBytes} are free (${MODEL_SPEC_FILE} names its files)`,
  )
}
