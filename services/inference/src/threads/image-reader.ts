import type { ImagePreprocessing } from '@millrace/contracts/model/model-spec.ts'
import type { Started } from '@millrace/platform/component.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { ImageLimits } from '@millrace/platform/model/preprocess-image.ts'
import { startThread, type Thread } from './thread.ts'

export interface ImageCall {
  readonly bytes: Uint8Array
  readonly preprocessing: ImagePreprocessing
  readonly limits: ImageLimits
}

/** One row for the network, and the picture's statistics in the order of `imageStatisticNames`. */
export interface ImageInput {
  readonly values: Float32Array
  readonly statistics: readonly number[]
}

export interface ImageReader {
  /**
   * Decodes away from the event loop.
   * @throws AppError INVALID_IMAGE, IMAGE_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE; TEMPORARILY_UNAVAILABLE when too many pictures wait
   */
  read(bytes: Uint8Array, preprocessing: ImagePreprocessing): Promise<ImageInput>
}

const MAX_WAITING = 64
const ENTRY = new URL('./image-thread.ts', import.meta.url)

/** Reads pictures in `threads` worker threads; one that is lost is replaced with the next picture. */
export async function startImageReader({ threads, limits }: { threads: number; limits: ImageLimits }): Promise<Started<ImageReader>> {
  const pool = new Set<Thread>()
  const add = async (): Promise<Thread> => {
    const thread = await startThread(ENTRY)
    pool.add(thread)
    thread.onLost(() => pool.delete(thread))
    return thread
  }
  await Promise.all(Array.from({ length: threads }, add))
  const value: ImageReader = {
    async read(bytes, preprocessing) {
      const thread = leastBusy(pool) ?? (await add())
      if (thread.pending >= MAX_WAITING) throw busy()
      const call: ImageCall = { bytes, preprocessing, limits }
      // The cast is sound: image-thread.ts answers `read` with exactly this.
      return (await thread.call('read', call)) as ImageInput
    },
  }
  return { value, stop: async () => void (await Promise.all([...pool].map((thread) => thread.stop()))) }
}

const leastBusy = (pool: ReadonlySet<Thread>): Thread | undefined => [...pool].sort((a, b) => a.pending - b.pending)[0]

const busy = (): AppError =>
  new AppError('TEMPORARILY_UNAVAILABLE', `${MAX_WAITING} pictures are waiting to be decoded already: try again in a second.`, {
    details: { reason: 'queue_full' },
  })
