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
    const result = await tryOnce(deps, artifact)
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
  if (result.kind === 'passed') return { ...known, passed: true }
  return { ...known, passed: false, crashes: known.crashes + 1, lastCrash: result.kind === 'crashed' ? result.message : '' }
}

async function tryOnce(deps: ProbeDeps, { files, example }: LocalArtifact): Promise<ProbeResult> {
  const child = await deps.children.take()
  const result = await child.probe(files, example, deps.timeoutMs)
  if (result.kind === 'passed') deps.children.give(child)
  else child.stop()
  deps.children.refill()
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
