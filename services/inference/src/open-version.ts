import { findDifference, isBatchable } from './domain/compare-signature.ts'
import type { WantedVersion } from './domain/serving-plan.ts'
import { rowsOf, type Tensor } from './domain/tensor.ts'
import { sameRows, withStrangers } from './domain/warm-up.ts'
import { asLoadFailure, LoadFailure } from './load-failure.ts'
import type { LocalArtifact } from './read-artifact.ts'
import { openSession, type Session } from './threads/session.ts'
import type { Spare } from './threads/spare.ts'
import type { Thread } from './threads/thread.ts'

export interface OpenDeps {
  /** One thread is kept ready for the next promotion. */
  readonly threads: Spare<Thread>
}

/** Opens an artifact in the spare thread and checks that it is what was declared. @throws LoadFailure stages open, signature */
export async function openFirst(deps: OpenDeps, wanted: WantedVersion, artifact: LocalArtifact, intraOpThreads: number): Promise<Session> {
  const session = await openSession(await deps.threads.take(), artifact.files, intraOpThreads).catch((error: unknown) => {
    throw asLoadFailure(error, 'open')
  })
  const declared = [artifact.spec.signature, ...(wanted.signature ? [wanted.signature] : [])]
  const difference = declared.map((signature) => findDifference(signature, session.signature)).find((found) => found !== null)
  if (!difference) return session
  await session.stop()
  throw new LoadFailure('deterministic', 'signature', difference)
}

/** Runs the example. Null: it was only zeros, and the model does not take them. @throws what the model's own example makes the runtime say */
export async function rehearse(session: Session, { example, logged }: LocalArtifact): Promise<Tensor[] | null> {
  return session.run(example).catch((error: unknown) => {
    if (logged) throw error
    return null
  })
}

/**
 * Answers the example alone, then among rows of zeros: the first run is the slow one, and a model whose rows influence each other must not be batched.
 * @throws LoadFailure stage warm-up; the session is ended then
 */
export async function warmUp(session: Session, artifact: LocalArtifact): Promise<{ batchable: boolean }> {
  try {
    const alone = await rehearse(session, artifact)
    if (!alone || !isBatchable(artifact.spec.signature)) return { batchable: false }
    const among = await session.run(withStrangers(artifact.example)).catch(() => null)
    return { batchable: among !== null && sameRows(alone, among) }
  } catch (error) {
    await session.stop()
    throw asLoadFailure(error, 'warm-up')
  }
}

/** Rows of a request: dimension 0 where it is open. */
export const rowsOfInputs = (inputs: readonly Tensor[]): number => (inputs[0] ? rowsOf(inputs[0]) : 1)
