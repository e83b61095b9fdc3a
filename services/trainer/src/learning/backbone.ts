import { readFile } from 'node:fs/promises'
import { type ImagePreprocessing, imagePreprocessing, type TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { type OnnxChain, openChain } from '@millrace/platform/model/onnx-chain.ts'
import { inspectOnnx } from '@millrace/platform/model/onnx-file.ts'
import { z } from 'zod'

/** A frozen network that turns images into features, opened and described. */
export interface Backbone {
  readonly bytes: Uint8Array
  readonly preprocessing: ImagePreprocessing
  readonly chain: OnnxChain
  readonly input: TensorSpec
  readonly output: TensorSpec
}

/** The side file may say less than all; what it leaves out comes from the graph and from ImageNet's habits. */
const sideFile = imagePreprocessing.partial()

/** Mean and deviation of ImageNet's channels, which published backbones expect. */
const imageNet = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

const refuse = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', message)

type SideFile = z.infer<typeof sideFile>

async function readSideFile(path: string): Promise<SideFile> {
  for (const candidate of [`${path}.json`, path.replace(/\.onnx$/, '.json')]) {
    const text = candidate === path ? null : await readFile(candidate, 'utf8').catch(() => null)
    if (text !== null) return parseSideFile(candidate, text)
  }
  return {}
}

function parseSideFile(path: string, text: string): SideFile {
  try {
    return sideFile.parse(JSON.parse(text))
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is not JSON'
    throw new AppError('INVALID_PARAMETER_VALUE', `The preprocessing in '${path}' is not valid: ${detail}`, { cause })
  }
}

/** Which dimensions of [n, ?, ?, ?] are the channels, and the picture's size where the graph fixes it. */
function readInput({ name, datatype, shape }: TensorSpec): { layout: 'NHWC' | 'NCHW'; height: number; width: number } {
  const [, a = -1, b = -1, c = -1] = shape
  if (datatype !== 'FP32' || shape.length !== 4 || (a !== 3 && c !== 3)) {
    throw refuse(`The backbone's input '${name}' is ${datatype} [${shape.join(', ')}]; expected FP32 [n, 3, height, width] or [n, height, width, 3]`)
  }
  return a === 3 ? { layout: 'NCHW', height: b, width: c } : { layout: 'NHWC', height: a, width: b }
}

function preprocessingOf(input: TensorSpec, side: SideFile): ImagePreprocessing {
  const graph = readInput(input)
  const size = (fixed: number, given: number | undefined) => (fixed > 0 ? fixed : (given ?? 224))
  const fixed = { kind: 'image' as const, layout: graph.layout, width: size(graph.width, side.width), height: size(graph.height, side.height) }
  return imagePreprocessing.parse({ resize: 'fill', ...imageNet, ...side, ...fixed })
}

/**
 * Opens the ONNX file of a backbone. Size and layout come from the graph where it fixes them, else from the JSON beside it (`<file>.json` or the same name with
 * `.json`), else 224 x 224; normalisation from the JSON, else ImageNet's.
 * @throws AppError INVALID_PARAMETER_VALUE when the file is missing, is no ONNX, or does not map images to one float tensor
 */
export async function openBackbone(path: string): Promise<Backbone> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new AppError('INVALID_PARAMETER_VALUE', `The backbone '${path}' cannot be read; give the path of an ONNX file`, { cause })
  })
  inspectOnnx(bytes)
  const chain = await openChain([{ name: 'backbone.onnx', bytes }])
  const [input] = chain.signature.inputs
  const [output] = chain.signature.outputs
  if (!input || !output || chain.signature.inputs.length > 1 || output.datatype !== 'FP32') {
    await chain.release()
    throw refuse(`The backbone '${path}' must have one input (images) and a float tensor as its first output (features)`)
  }
  return { bytes, preprocessing: preprocessingOf(input, await readSideFile(path)), chain, input, output }
}
