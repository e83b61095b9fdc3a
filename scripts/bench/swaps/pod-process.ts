import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ServingState } from '@millrace/contracts/events/model-events.ts'
import { z } from 'zod'
import { root } from '../place.ts'

const said = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('token'), url: z.string(), token: z.string() }),
  z.object({ kind: z.literal('memory'), bytes: z.number() }),
])

/** A pod that this process runs and tells what to serve. */
export interface PodProcess {
  /** Where it listens, with a token that is renewed before it expires. */
  readonly target: { url: string; token: string }
  serve(state: ServingState): void
  /** Resident memory after a collection of garbage. */
  residentBytes(): Promise<number>
  /** Highest resident memory so far is left to the caller's samples. */
  stop(): Promise<void>
}

export async function startPodProcess(directory: string, env: Readonly<Record<string, string>> = {}): Promise<PodProcess> {
  const entry = join(root, 'services/inference/src/testing/swap-pod.ts')
  // One thread for each version: threads that come and go with load would show as memory that did not come back.
  const own = { INFERENCE_CACHE_DIR: join(directory, 'pod'), SWAP_BLOBS: join(directory, 'blobs'), INFERENCE_CACHE_TTL_MS: '0', INFERENCE_THREADS: '1', ...env }
  // As bootstrap.mjs and the image set it.
  const memory = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576' }
  const child = fork(entry, { env: { ...memory, ...process.env, ...own }, execArgv: ['--expose-gc'] })
  const target = { url: '', token: '' }
  const waiting: ((bytes: number) => void)[] = []
  child.on('message', (message) => {
    const heard = said.parse(message)
    if (heard.kind === 'token') Object.assign(target, { url: heard.url, token: heard.token })
    else waiting.shift()?.(heard.bytes)
  })
  await once(child, 'message')
  return {
    target,
    serve: (state) => void child.send({ kind: 'state', state }),
    residentBytes() {
      const { promise, resolve } = Promise.withResolvers<number>()
      waiting.push(resolve)
      child.send({ kind: 'memory' })
      return promise
    },
    async stop() {
      child.disconnect()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
