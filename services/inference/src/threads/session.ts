import { setTimeout as pause } from 'node:timers/promises'
import { type Signature, signature as signatureSchema } from '@millrace/contracts/model/model-spec.ts'
import type { Tensor } from '../domain/tensor.ts'
import type { ModelFile } from './model-file.ts'
import { startThread, type Thread } from './thread.ts'

/** A model that is open in a worker thread of its own. */
export interface Session {
  readonly signature: Signature
  /** One batch. Calls queue up in the thread: the caller keeps it at one. */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>
  /** A call has no answer yet. */
  readonly busy: boolean
  onLost(listener: () => void): void
  /** Lets the model go, and gives the thread where another model can use it; null: it was ended, or left behind inside a call that does not return. */
  close(): Promise<Thread | null>
  stop(): Promise<void>
  /** See `Thread.beNice`. */
  beNice(niceness: number): void
}

const CLOSE_MS = 5000

/** A thread with the runtime loaded and no model in it yet. */
export const startSessionThread = (): Promise<Thread> => startThread(new URL('./session-thread.ts', import.meta.url))

/** Opens an artifact's files in a thread. @throws AppError INVALID_PARAMETER_VALUE when the runtime refuses them; the thread is ended then */
export async function openSession(thread: Thread, files: readonly ModelFile[], intraOpThreads = 1): Promise<Session> {
  try {
    const signature = signatureSchema.parse(await thread.call('open', { files, intraOpThreads }))
    return {
      signature,
      // The cast is sound: session-thread.ts answers `run` with tensors; checking every element here would cost more than the model.
      run: async (inputs) => (await thread.call('run', inputs)) as Tensor[],
      get busy() {
        return thread.pending > 0
      },
      onLost: (listener) => thread.onLost(listener),
      close: () => closeThread(thread),
      stop: () => thread.stop(),
      beNice: (niceness) => thread.beNice(niceness),
    }
  } catch (error) {
    await thread.stop()
    throw error
  }
}

async function closeThread(thread: Thread): Promise<Thread | null> {
  if (thread.pending === 0 && thread.niceness === 0) {
    const closed = thread.call('close', null).then(
      () => true,
      () => false,
    )
    if (await Promise.race([closed, pause(CLOSE_MS, false, { ref: false })])) return thread
  }
  await thread.stop()
  return null
}
