import type { Signature, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { type BinaryTensor, parseBinaryTensor } from './binary-tensor.ts'
import { parseTensor, type RawTensor } from './parse-tensor.ts'
import { isRefusal, type Refusal, refuse, rowsOf, showSpec, type Tensor } from './tensor.ts'

const names = (specs: readonly TensorSpec[]): string => specs.map((spec) => `'${spec.name}'`).join(', ')

/**
 * Reads all inputs of a request in the order of the signature, so that whatever passes can be batched and run. Inputs whose dimension 0 is open must agree on
 * the number of rows.
 */
export function parseInputs(signature: Signature, raw: readonly (RawTensor | BinaryTensor)[]): { inputs: Tensor[] } | Refusal {
  const unknown = raw.findIndex(({ name }) => !signature.inputs.some((spec) => spec.name === name))
  if (unknown >= 0) return refuse(`inputs[${unknown}] has a name that the model does not know; its inputs are ${names(signature.inputs)}`)
  const inputs: Tensor[] = []
  for (const spec of signature.inputs) {
    const given = raw.filter(({ name }) => name === spec.name)
    if (given.length > 1) return refuse(`Input '${spec.name}' is given ${given.length} times; send it once`)
    if (!given[0]) return refuse(`Input ${showSpec(spec)} is missing`)
    const tensor = 'bytes' in given[0] ? parseBinaryTensor(spec, given[0]) : parseTensor(spec, given[0])
    if (isRefusal(tensor)) return tensor
    inputs.push(tensor)
  }
  return agreeOnRows(signature, inputs)
}

/** Inputs whose dimension 0 is open are rows of the same batch. */
export function agreeOnRows(signature: Signature, inputs: Tensor[]): { inputs: Tensor[] } | Refusal {
  const rows = new Set(inputs.filter((_, index) => signature.inputs[index]?.shape[0] === -1).map(rowsOf))
  return rows.size > 1 ? refuse(`The inputs disagree on the number of rows (dimension 0): ${[...rows].join(', ')}`) : { inputs }
}

/** The outputs to answer with, in the order asked for; absent or empty means all. */
export function pickOutputs(signature: Signature, asked: readonly string[] | undefined): { outputs: string[] } | Refusal {
  if (!asked || asked.length === 0) return { outputs: signature.outputs.map(({ name }) => name) }
  const known = new Set(signature.outputs.map(({ name }) => name))
  const unknown = asked.findIndex((name) => !known.has(name))
  if (unknown >= 0) return refuse(`outputs[${unknown}] has a name that the model does not know; its outputs are ${names(signature.outputs)}`)
  return new Set(asked).size === asked.length ? { outputs: [...asked] } : refuse('The same output is asked for twice')
}
