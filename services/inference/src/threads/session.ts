import { type Signature, signature as signatureSchema } from '@millrace/contracts/model/model-spec.ts'
import type { Tensor } from '../domain/tensor.ts'
import type { ModelFile } from './model-file.ts'
import { startThread, type Thread } from './thread.ts'

/** A model that is open in a worker thread of its own. */
export interface Session {
  readonly signature: Signature
  /** One batch. Calls queue up in the thread: the caller keeps it at one. */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>
  onLost(listener: () => void): void
  stop(): Promise<void>
}

/** A thread with the runtime loaded and no model in it yet. */
export const startSessionThread = (): Promise<Thread> => startThread(new URL('./session-thread.ts', import.meta.url))

/** Opens an artifact's files in a thread. @throws AppError INVALID_PARAMETER_VALUE when the runtime refuses them; the thread is ended then */
export async function openSession(thread: Thread, files: readonly ModelFile[]): Promise<Session> {
  try {
    const signature = signatureSchema.parse(await thread.call('open', files))
    return {
      signature,
      // The cast is sound: session-thread.ts answers `run` with tensors; checking every element here would cost more than the model.
      run: async (inputs) => (await thread.call('run', inputs)) as Tensor[],
      onLost: (listener) => thread.onLost(listener),
      stop: () => thread.stop(),
    }
  } catch (error) {
    await thread.stop()
    throw error
  }
}
