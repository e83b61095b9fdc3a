import type { Signature, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { showSpec } from './tensor.ts'

/**
 * Says where what the runtime found differs from what was declared, or null. A dimension that is open on either side agrees with any: exporters differ in
 * how much they say. An output that was declared without dimensions agrees with any: the file did not tell them.
 */
export function findDifference(declared: Signature, found: Signature): string | null {
  return differenceIn('input', declared.inputs, found.inputs) ?? differenceIn('output', declared.outputs, found.outputs)
}

/** What was declared, with the dimensions of outputs that the file did not tell taken from what the runtime found. */
export function withToldRanks({ inputs, outputs }: Signature, found: Signature): Signature {
  const tell = (spec: TensorSpec): TensorSpec =>
    spec.shape.length > 0 ? spec : { ...spec, shape: found.outputs.find(({ name }) => name === spec.name)?.shape ?? [] }
  return { inputs, outputs: outputs.map(tell) }
}

function differenceIn(kind: string, declared: readonly TensorSpec[], found: readonly TensorSpec[]): string | null {
  const extra = found.find(({ name }) => !declared.some((spec) => spec.name === name))
  if (extra) return `the model has the ${kind} ${showSpec(extra)}, which its signature does not declare`
  for (const spec of declared) {
    const actual = found.find(({ name }) => name === spec.name)
    if (!actual) return `its signature declares the ${kind} ${showSpec(spec)}, which the model does not have`
    const untold = kind === 'output' && spec.shape.length === 0 && spec.datatype === actual.datatype
    if (!untold && !agrees(spec, actual)) return `its signature declares the ${kind} ${showSpec(spec)}, the model has ${showSpec(actual)}`
  }
  return null
}

const agrees = (a: TensorSpec, b: TensorSpec): boolean =>
  a.datatype === b.datatype && a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis] || size === -1 || b.shape[axis] === -1)

/** Whether rows of different requests may run as one: dimension 0 is open in every input and output. */
export const isBatchable = ({ inputs, outputs }: Signature): boolean => [...inputs, ...outputs].every(({ shape }) => shape[0] === -1)
