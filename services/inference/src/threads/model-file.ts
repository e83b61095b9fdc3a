import { readFile } from 'node:fs/promises'
import { type OnnxChain, openChain } from '@millrace/platform/model/onnx-chain.ts'
import type { Tensor } from '../domain/tensor.ts'

/** A verified file of an artifact on the local disk. */
export interface ModelFile {
  readonly name: string
  readonly path: string
}

/** Opens a chain of verified files with one thread each for its operators: pods run one session per worker instead. */
export async function openFiles(files: readonly ModelFile[]): Promise<OnnxChain> {
  return openChain(await Promise.all(files.map(async ({ name, path }) => ({ name, bytes: await readFile(path) }))))
}

/** What the runtime answers, in arrays of its own kind: half-precision floats as their bits. */
export const toTensors = (outputs: readonly Tensor[]): Tensor[] => outputs.map(toTensor)

function toTensor(output: Tensor): Tensor {
  const { data, datatype } = output
  if (datatype !== 'FP16' || Array.isArray(data) || data instanceof Uint16Array) return output
  return { ...output, data: new Uint16Array(data.buffer, data.byteOffset, data.length) }
}
