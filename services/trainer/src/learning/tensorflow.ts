import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { ready, setBackend } from '@tensorflow/tfjs-core'
// Registers the gradients: the core package leaves them out when it is loaded by Node.
import '@tensorflow/tfjs-layers'

const require = createRequire(import.meta.url)

/**
 * Starts tfjs on its WebAssembly backend with the binary from the installed package; nothing is downloaded.
 * One thread: sums are then always taken in the same order, so that a seed means the same weights to the bit.
 */
export async function startTensorflow(): Promise<void> {
  const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))
  setWasmPaths(`${join(folder, 'dist')}/`)
  setThreadsCount(1)
  if (!(await setBackend('wasm'))) throw new Error('The WebAssembly backend of tfjs did not start')
  await ready()
}
