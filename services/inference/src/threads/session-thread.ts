import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import type { OnnxChain } from '@millrace/platform/model/onnx-chain.ts'
import type { Tensor } from '../domain/tensor.ts'
import { type ModelFile, openFiles, toTensors } from './model-file.ts'
import { serveThread } from './serve-thread.ts'
import { warmRuntime } from './warm-runtime.ts'

/** Entry of a worker thread that holds the sessions of one version at a time. */
let chain: OnnxChain | null = null

async function open({ files, intraOpThreads }: { files: readonly ModelFile[]; intraOpThreads: number }): Promise<{ result: Signature }> {
  chain = await openFiles(files, { intraOpNumThreads: intraOpThreads })
  return { result: chain.signature }
}

async function run(inputs: readonly Tensor[]): Promise<{ result: Tensor[] }> {
  if (!chain) throw new Error('no model is open in this thread')
  return { result: toTensors(await chain.run(inputs)) }
}

/** Gives the model's memory back, so that the thread can hold another one. */
async function close(): Promise<{ result: null }> {
  await chain?.release()
  chain = null
  return { result: null }
}

await warmRuntime()
serveThread({ open, run, close })
