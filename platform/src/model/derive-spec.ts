import type { Column, ModelSpec, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import type { Mlmodel } from './mlmodel.ts'
import { labelsFrom } from './model-labels.ts'
import type { OnnxSummary } from './onnx-file.ts'
import { refuseOnnx } from './onnx-limits.ts'
import type { OnnxValueInfo } from './onnx-values.ts'

export interface NetworkNotes {
  /** Name of the ONNX file. */
  readonly file: string
  readonly summary: OnnxSummary
  readonly mlmodel: Mlmodel | null
  readonly exampleFile: string | null
}

const MAX_NAME = 256

function inputOf({ name, datatype, shape }: OnnxValueInfo): TensorSpec {
  if (shape === null)
    throw refuseOnnx(`The input '${name}' of the ONNX file does not say how many dimensions it has: export the model with shapes (open ones may stay open)`)
  return { name, datatype, shape: [...shape] }
}

/** An output of unknown rank is declared without dimensions; the runtime tells them once it has opened the file. */
const outputOf = ({ name, datatype, shape }: OnnxValueInfo): TensorSpec => ({ name, datatype, shape: shape ? [...shape] : [] })

function checkNames(specs: readonly TensorSpec[]): void {
  const odd = specs.find(({ name }) => name === '' || name.length > MAX_NAME)
  if (odd) throw refuseOnnx(`An input or output of the ONNX file has a name of ${odd.name.length} characters; 1 to ${MAX_NAME} are served`)
  if (new Set(specs.map(({ name }) => name)).size !== specs.length) throw refuseOnnx('Two inputs or two outputs of the ONNX file have the same name')
}

/** A table is fed whole to one input of as many columns, or column by column to inputs of their names. */
function columnsFor(inputs: readonly TensorSpec[], columns: readonly Column[] | null): Column[] | null {
  if (!columns) return null
  const [only] = inputs
  const width = inputs.length === 1 && only?.shape.length === 2 ? only.shape[1] : undefined
  if (width === columns.length || width === -1) return [...columns]
  const named = columns.filter(({ name }) => inputs.some((input) => input.name === name))
  return named.length === inputs.length ? named : null
}

/**
 * The model specification of a network that brings none: its own inputs and outputs, the table's columns from MLflow's signature, classes from its notes.
 * @throws AppError INVALID_PARAMETER_VALUE when the network does not say enough to be fed
 */
export function deriveSpec({ file, summary, mlmodel, exampleFile }: NetworkNotes): ModelSpec {
  const inputs = summary.inputs.map(inputOf)
  const outputs = summary.outputs.map(outputOf)
  checkNames(inputs)
  checkNames(outputs)
  return {
    ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file }], signature: { inputs, outputs } },
    columns: columnsFor(inputs, mlmodel?.columns ?? null),
    ...(summary.omittedOutputs.length > 0 ? { omittedOutputs: [...summary.omittedOutputs] } : {}),
    labels: labelsFrom([summary.metadata, mlmodel?.metadata ?? {}], outputs.at(-1)),
    ...{ preprocessing: null, inputExample: exampleFile, parity: null, referenceProfile: null },
  }
}
