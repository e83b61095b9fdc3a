import type { Log } from '@millrace/platform/log.ts'
import { LoadFailure } from './load-failure.ts'
import { CRASHES_TO_QUARANTINE, type ProbeRecord, type ProbeRecords } from './probe-records.ts'
import type { LocalArtifact } from './read-artifact.ts'
import type { ProbeChild, ProbeResult } from './threads/probe.ts'
import type { Spare } from './threads/spare.ts'

export interface ProbeDeps {
  readonly records: ProbeRecords
  readonly children: Spare<ProbeChild>
  readonly timeoutMs: number
  readonly log: Log
}

/**
 * Tries a digest in a child process, unless it has passed before. A crash is tried once more; the second one, now or after a restart, is quarantine for good.
 * @throws LoadFailure deterministic
 */
export async function probeArtifact(deps: ProbeDeps, digest: string, artifact: LocalArtifact, signal: AbortSignal): Promise<void> {
  let known = await deps.records.read(digest)
  if (known.passed && known.crashes < CRASHES_TO_QUARANTINE) return
  while (known.crashes < CRASHES_TO_QUARANTINE) {
    signal.throwIfAborted()
    const result = await tryOnce(deps, artifact, signal)
    if (result.kind === 'refused') throw new LoadFailure('deterministic', result.stage, result.message)
    known = recordOf(known, result)
    await deps.records.write(digest, known)
    if (result.kind === 'passed') return
    deps.log.warn('a model crashed the process that tried it', { digest, crashes: known.crashes, reason: result.message })
  }
  throw new LoadFailure(
    'deterministic',
    'probe',
    `The artifact ${digest} is in quarantine after ${known.crashes} crashes: ${known.lastCrash}. Export the model again`,
  )
}

function recordOf(known: ProbeRecord, result: ProbeResult): ProbeRecord {
  if (result.kind === 'passed') return { ...known, passed: true, memoryBytes: result.memoryBytes }
  return { ...known, passed: false, crashes: known.crashes + 1, lastCrash: result.kind === 'crashed' ? result.message : '' }
}

/** A child that nobody waits for any more is ended, unless it is done within this time: another one takes as long to start. */
const ABANDON_MS = 500

async function tryOnce(deps: ProbeDeps, { files, example, logged }: LocalArtifact, signal: AbortSignal): Promise<ProbeResult> {
  const child = await deps.children.take()
  let timer: NodeJS.Timeout | null = null
  const onAbort = () => {
    timer = setTimeout(() => child.stop(), ABANDON_MS)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  const result = await child.probe(files, { example, logged }, deps.timeoutMs)
  signal.removeEventListener('abort', onAbort)
  if (timer) clearTimeout(timer)
  if (result.kind === 'passed') deps.children.give(child)
  else child.stop()
  deps.children.refill()
  signal.throwIfAborted()
  return result
}

/** Notes that the pod itself opens the digest now; a pod that does not come back from it finds the note at its next start. */
export async function whileOpening<T>(records: ProbeRecords, digest: string, open: () => Promise<T>): Promise<T> {
  const known = await records.read(digest)
  await records.write(digest, { ...known, opening: true })
  try {
    return await open()
  } finally {
    await records.write(digest, { ...known, opening: false, crashes: 0 })
  }
}

/** A batch of a model that passed its probe did not come to an end: counted like a crash. Null: not yet one too many. */
export async function noteStuck(records: ProbeRecords, digest: string): Promise<LoadFailure | null> {
  const known = await records.read(digest)
  const crashes = known.crashes + 1
  await records.write(digest, { ...known, crashes, lastCrash: 'a request did not come to an end' })
  if (crashes < CRASHES_TO_QUARANTINE) return null
  return new LoadFailure(
    'deterministic',
    'probe',
    `The artifact ${digest} is in quarantine: ${crashes} requests did not come to an end. Export the model again`,
  )
}
