import type { ExampleTensor, Signature, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { joinRows } from './batch.ts'
import { parseInputs } from './parse-request.ts'
import { allocate, elementCount, isRefusal, type Refusal, type Tensor } from './tensor.ts'

/** The logged input example as tensors of the signature, or one row of zeros where the model brought none. */
export function exampleInputs(signature: Signature, example: readonly ExampleTensor[] | null): { inputs: Tensor[] } | Refusal {
  return example ? parseInputs(signature, example) : { inputs: signature.inputs.map(zeros) }
}

function zeros({ name, datatype, shape: declared }: TensorSpec): Tensor {
  const shape = declared.map((size) => (size === -1 ? 1 : size))
  const count = elementCount(shape)
  return { name, datatype, shape, data: datatype === 'BYTES' ? Array.from({ length: count }, () => '') : allocate(datatype, count) }
}

/** The example with as many rows of zeros below it: what a batch of strangers looks like. */
export const withStrangers = (example: readonly Tensor[]): Tensor[] =>
  example.map((tensor) => joinRows([tensor, zeros({ name: tensor.name, datatype: tensor.datatype, shape: [...tensor.shape] })]) ?? tensor)

const TOLERANCE = 1e-4

/** Whether the answers to the example are the same alone and among strangers; a model whose rows influence each other must not be batched. */
export function sameRows(alone: readonly Tensor[], among: readonly Tensor[]): boolean {
  return alone.every((tensor, index) => {
    const other = among[index]
    if (!other || isRefusal(other) || other.shape[0] !== 2 * (tensor.shape[0] ?? 0)) return false
    return Array.from<number | bigint | string>(tensor.data).every((value, at) => isClose(value, other.data[at]))
  })
}

function isClose(value: number | bigint | string, other: number | bigint | string | undefined): boolean {
  if (typeof value !== 'number' || typeof other !== 'number') return value === other
  return Object.is(value, other) || Math.abs(value - other) <= TOLERANCE * Math.max(1, Math.abs(value))
}
