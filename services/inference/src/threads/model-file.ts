import { readFile } from 'node:fs/promises'
import { type ChainFile, type ChainOptions, type OnnxChain, openChain } from '@millrace/platform/model/onnx-chain.ts'
import type { Tensor } from '../domain/tensor.ts'

/** A verified file of an artifact on the local disk. */
export interface LocalFile {
  readonly name: string
  readonly path: string
}

/** A network with the files that hold its weights, where they are not in it. */
export interface ModelFile extends LocalFile {
  readonly sideFiles: readonly LocalFile[]
}

async function chainFileOf({ name, path, sideFiles }: ModelFile): Promise<ChainFile> {
  const beside = await Promise.all(sideFiles.map(async (side) => ({ name: side.name, bytes: await readFile(side.path) })))
  return { name, bytes: { path }, sideFiles: beside }
}

/** Opens a chain of verified files, read by the runtime itself: through this process's heap a model would take its memory twice. */
export async function openFiles(files: readonly ModelFile[], options: ChainOptions = {}): Promise<OnnxChain> {
  return openChain(await Promise.all(files.map(chainFileOf)), options)
}

/** What the runtime answers, in arrays of its own kind: half-precision floats as their bits. */
export const toTensors = (outputs: readonly Tensor[]): Tensor[] => outputs.map(toTensor)

function toTensor(output: Tensor): Tensor {
  const { data, datatype } = output
  if (datatype !== 'FP16' || Array.isArray(data) || data instanceof Uint16Array) return output
  return { ...output, data: new Uint16Array(data.buffer, data.byteOffset, data.length) }
}
