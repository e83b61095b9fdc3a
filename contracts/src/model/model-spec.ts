import { z } from 'zod'

/** The file name under which a model's artifact describes itself. */
export const MODEL_SPEC_FILE = 'millrace-model.json'

/** A plain file name inside the artifact: no separators, so that nothing outside the sealed manifest can be named. */
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'a plain file name of the artifact')

/** The Open Inference Protocol's names for the element types that Millrace serves. */
export const datatypes = ['BOOL', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'FP16', 'FP32', 'FP64', 'BYTES'] as const
export const datatype = z.enum(datatypes)
export type Datatype = z.infer<typeof datatype>

/** A tensor as the model declares it: -1 stands for a variable dimension, the first of which is the batch. */
export const tensorSpec = z.looseObject({
  name: z.string().min(1).max(256),
  datatype,
  shape: z.array(z.int().min(-1)).max(8),
})
export type TensorSpec = z.infer<typeof tensorSpec>

export const signature = z.looseObject({ inputs: z.array(tensorSpec).min(1), outputs: z.array(tensorSpec).min(1) })
export type Signature = z.infer<typeof signature>

/**
 * How an image becomes the input tensor `[n, height, width, 3]` (`NHWC`) or `[n, 3, height, width]` (`NCHW`):
 * decode, turn by EXIF, drop alpha onto black, resize (`fill` stretches, `cover` crops the middle), then `(byte * scale - mean) / std` per channel in RGB order.
 */
export const imagePreprocessing = z.looseObject({
  kind: z.literal('image'),
  width: z.int().min(1).max(2048),
  height: z.int().min(1).max(2048),
  layout: z.enum(['NHWC', 'NCHW']),
  resize: z.enum(['fill', 'cover']),
  scale: z.number(),
  mean: z.array(z.number()).length(3),
  std: z.array(z.number().positive()).length(3),
})
export type ImagePreprocessing = z.infer<typeof imagePreprocessing>

export const label = z.looseObject({ class: z.string().min(1), label: z.string().min(1) })
export type Label = z.infer<typeof label>

/** One column of a table, as MLflow's signature names it: `type` is MLflow's (`double`, `float`, `long`, `integer`, `boolean`, `string`, `binary`, `datetime`). */
export const column = z.looseObject({ name: z.string().min(1).max(256), type: z.string(), required: z.boolean().optional() })
export type Column = z.infer<typeof column>

/**
 * `millrace-model.json`: what a pod must know to serve an artifact. `chain` lists ONNX files in order; the outputs of one feed the inputs of the
 * next by position. `signature` is that of the whole chain: inputs of its first file, outputs of its last. The last output of a classifier holds
 * one probability per entry of `labels`, in that order.
 */
export const modelSpec = z.looseObject({
  schemaVersion: z.literal(1),
  task: z.string().meta({ 'x-known-values': ['image-classification', 'tensor'] }),
  format: z.string().meta({ 'x-known-values': ['onnx', 'onnx-chain'] }),
  chain: z
    .array(z.looseObject({ file: fileName }))
    .min(1)
    .max(8),
  signature,
  /** Names of the columns of a table, in order: those of the one input `[n, k]`, or one per input of that name. None where the inputs are plain tensors. */
  columns: z.array(column).min(1).max(10_000).nullable().optional(),
  /** Outputs of the network that are no tensors (sequences, maps), which are not served. */
  omittedOutputs: z.array(z.string()).optional(),
  labels: z.array(label).max(10_000).nullable(),
  preprocessing: imagePreprocessing.nullable(),
  /** File with one `TensorExample`, used to warm the model up. */
  inputExample: fileName.nullable(),
  /** File with a `ParityRows`: what the trainer's own runtime answered. */
  parity: fileName.nullable(),
  /** File with a `ReferenceProfile`. */
  referenceProfile: fileName.nullable(),
})
export type ModelSpec = z.infer<typeof modelSpec>

/** Tensors by name, row-major and flat. */
export const tensorData = z.looseObject({ name: z.string(), datatype, shape: z.array(z.int().nonnegative()), data: z.array(z.number()) })
export type TensorData = z.infer<typeof tensorData>

/** A tensor of an example: strings for BYTES and for integers beyond 2^53, truth values for BOOL. */
export const exampleTensor = tensorData.extend({ data: z.array(z.union([z.number(), z.string(), z.boolean()])) })
export type ExampleTensor = z.infer<typeof exampleTensor>

export const tensorExample = z.looseObject({ inputs: z.array(exampleTensor).min(1) })
export type TensorExample = z.infer<typeof tensorExample>

/** Rows and the answers of the runtime that trained the model; the promoter runs the ONNX itself and compares within `tolerance` (absolute). */
export const parityRows = z.looseObject({
  tolerance: z.number().positive(),
  inputs: z.array(tensorData).min(1),
  outputs: z.array(tensorData).min(1),
})
export type ParityRows = z.infer<typeof parityRows>

/** `evaluation.json` beside the model: one row per test example, so that two models can be compared on exactly the same rows. */
export const EVALUATION_FILE = 'evaluation.json'
export const evaluation = z.looseObject({
  datasetDigest: z.string(),
  split: z.string(),
  classes: z.array(z.string()),
  rows: z.array(z.looseObject({ id: z.string(), actual: z.string(), predicted: z.string(), confidence: z.number() })),
})
export type Evaluation = z.infer<typeof evaluation>
