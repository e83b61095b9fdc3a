import type { OnnxLimits } from '@millrace/platform/model/onnx-limits.ts'
import type { Metrics } from '@millrace/platform/telemetry/metrics.ts'
import type { ArtifactCache } from './artifact-cache.ts'
import { withToldRanks } from './domain/compare-signature.ts'
import { intraOpThreadsFor, type ModelSettings, resolveSettings } from './domain/model-settings.ts'
import type { WantedVersion } from './domain/serving-plan.ts'
import { asLoadFailure, type LoadStage } from './load-failure.ts'
import type { LoadedVersion } from './loaded-version.ts'
import { openFirst, warmUp } from './open-version.ts'
import { type ProbeDeps, probeArtifact, whileOpening } from './probe-artifact.ts'
import { readArtifact } from './read-artifact.ts'
import { createLoadedVersion, type ServeDeps } from './serve-version.ts'
import type { Session } from './threads/session.ts'

export interface LoadDeps extends ServeDeps {
  readonly cache: ArtifactCache
  readonly onnxLimits: OnnxLimits
  readonly probes: ProbeDeps
  readonly metrics: Metrics
  /** How a model is served that nothing was set for. */
  readonly defaults: ModelSettings
  /** Cores of this machine. */
  readonly cores: number
}

/**
 * Loads one version. `reserve` sets memory aside, or says that there is none.
 * @throws LoadFailure; the reason of `signal` when a newer record made it pointless
 */
export type LoadVersion = (wanted: WantedVersion, signal: AbortSignal, reserve: (bytes: number) => void) => Promise<LoadedVersion>

/** Memory of an open model over the size of its files, until a probe has measured it. */
const MEMORY_FACTOR = 2.5
const LOAD_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** memory → fetch and verify → probe → open → signature → warm up. Nothing of it touches what is serving. */
export function createLoadVersion(deps: LoadDeps): LoadVersion {
  const seconds = deps.metrics.histogram('model_load_seconds', 'Time of each stage of loading a version.', ['model', 'version', 'stage'], LOAD_BUCKETS)
  return async function loadVersion(wanted, signal, reserve) {
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
    reserve(await memoryOf(deps, wanted))
    return load(deps, wanted, signal, { stages, timed, reserve })
  }
}

/** What one session takes: as measured by a probe, else reckoned from its files. */
async function memoryOf({ probes }: LoadDeps, { artifact }: WantedVersion): Promise<number> {
  const { memoryBytes } = await probes.records.read(artifact.sha256)
  return memoryBytes ?? Math.ceil(artifact.sizeBytes * MEMORY_FACTOR)
}

interface Timing {
  readonly stages: Record<string, number>
  timed<T>(stage: LoadStage, work: () => Promise<T>): Promise<T>
  reserve(bytes: number): void
}

async function load(deps: LoadDeps, wanted: WantedVersion, signal: AbortSignal, { stages, timed, reserve }: Timing): Promise<LoadedVersion> {
  const digest = wanted.artifact.sha256
  const settings = resolveSettings(wanted.settings, deps.defaults)
  const artifact = await timed('fetch', () => readArtifact(deps.cache, wanted.artifact, signal, deps.onnxLimits))
  const intraOpThreads = intraOpThreadsFor(settings, artifact.modelBytes, deps.cores)
  await timed('probe', () => probeArtifact(deps.probes, digest, artifact, signal))
  // Now it is measured.
  const sessionBytes = await memoryOf(deps, wanted)
  reserve(sessionBytes)
  const opened: { session: Session | null } = { session: null }
  try {
    const { session, ...served } = await whileOpening(deps.probes.records, digest, async () => {
      const session = await timed('open', async () => {
        opened.session = await openFirst(deps, wanted, artifact, intraOpThreads)
        return opened.session
      })
      const told = { ...artifact, spec: { ...artifact.spec, signature: withToldRanks(artifact.spec.signature, session.signature) } }
      return { session, artifact: told, ...(await timed('warm-up', () => warmUp(session, told))) }
    })
    return createLoadedVersion(deps, { wanted, ...served, session, stages, sessionBytes, intraOpThreads }, settings)
  } catch (error) {
    const thread = await opened.session?.close()
    if (thread) deps.threads.give(thread)
    throw error
  } finally {
    deps.threads.refill()
  }
}
