import {
  EVALUATION_FILE,
  type ImagePreprocessing,
  type Label,
  MODEL_SPEC_FILE,
  type ModelSpec,
  type ParityRows,
  type Signature,
  type TensorData,
  type TensorExample,
} from '@millrace/contracts/model/model-spec.ts'
import { shortFloats } from './float-text.ts'

/** Names of the artifact's files. */
export const modelFileNames = {
  spec: MODEL_SPEC_FILE,
  backbone: 'backbone.onnx',
  head: 'head.onnx',
  inputExample: 'input-example.json',
  parity: 'parity.json',
  referenceProfile: 'reference-profile.json',
  evaluation: EVALUATION_FILE,
} as const

/** Largest difference of a probability between the training runtime and the exported model. */
const PARITY_TOLERANCE = 1e-4

/** About what one stored number takes in JSON, and how much the file may take. */
const BYTES_PER_NUMBER = 11
const PARITY_BYTES = 2_900_000

export function modelSpecOf(signature: Signature, labels: readonly Label[], preprocessing: ImagePreprocessing): ModelSpec {
  return {
    schemaVersion: 1,
    task: 'image-classification',
    format: 'onnx-chain',
    chain: [{ file: modelFileNames.backbone }, { file: modelFileNames.head }],
    signature,
    labels: [...labels],
    preprocessing,
    inputExample: modelFileNames.inputExample,
    parity: modelFileNames.parity,
    referenceProfile: modelFileNames.referenceProfile,
  }
}

/** As many parity rows (1 to 8) as fit the file, by the size of one image tensor. */
export const parityRowCount = (tensorSize: number): number => Math.max(1, Math.min(8, Math.floor(PARITY_BYTES / (tensorSize * BYTES_PER_NUMBER))))

const tensorOf = (name: string, rows: readonly Float32Array[], rest: readonly number[]): TensorData => ({
  name,
  datatype: 'FP32',
  shape: [rows.length, ...rest],
  data: rows.flatMap(shortFloats),
})

/** Image tensors and what the training runtime answered on them. */
export function parityOf(
  { inputs, outputs }: Signature,
  preprocessing: ImagePreprocessing,
  tensors: readonly Float32Array[],
  answers: readonly Float32Array[],
): ParityRows {
  const input = inputTensor(inputs[0]?.name ?? 'image', preprocessing, tensors)
  const output = tensorOf(outputs.at(-1)?.name ?? 'probabilities', answers, [answers[0]?.length ?? 0])
  return { tolerance: PARITY_TOLERANCE, inputs: [input], outputs: [output] }
}

function inputTensor(name: string, { width, height, layout }: ImagePreprocessing, tensors: readonly Float32Array[]): TensorData {
  return tensorOf(name, tensors, layout === 'NCHW' ? [3, height, width] : [height, width, 3])
}

export const inputExampleOf = ({ inputs }: Signature, preprocessing: ImagePreprocessing, tensor: Float32Array): TensorExample => ({
  inputs: [inputTensor(inputs[0]?.name ?? 'image', preprocessing, [tensor])],
})
