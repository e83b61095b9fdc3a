import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import type { OnnxChain } from '@millrace/platform/model/onnx-chain.ts'
import type { Tensor } from '../domain/tensor.ts'
import { type ModelFile, openFiles, toTensors } from './model-file.ts'
import { serveThread } from './serve-thread.ts'

/** Entry of a worker thread that holds one version's sessions: they live and die with it. */
let chain: OnnxChain | null = null

async function open(files: readonly ModelFile[]): Promise<{ result: Signature }> {
  chain = await openFiles(files)
  return { result: chain.signature }
}

async function run(inputs: readonly Tensor[]): Promise<{ result: Tensor[] }> {
  if (!chain) throw new Error('no model is open in this thread')
  return { result: toTensors(await chain.run(inputs)) }
}

serveThread({ open, run })
