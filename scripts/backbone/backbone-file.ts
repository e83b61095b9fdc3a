import type { ImagePreprocessing } from '@millrace/contracts/model/model-spec.ts'
import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import { asInitializers, FEATURES, forwardNodes, INPUT_HEIGHT, INPUT_WIDTH, type Weight } from './architecture.ts'

/** What the backbone expects of an image; written beside it as `backbone.json`. */
export const backbonePreprocessing: ImagePreprocessing = {
  kind: 'image',
  width: INPUT_WIDTH,
  height: INPUT_HEIGHT,
  layout: 'NCHW',
  resize: 'fill',
  scale: 1 / 255,
  mean: [0.45, 0.45, 0.45],
  std: [0.25, 0.25, 0.25],
}

/** The network up to its features as an ONNX file; weights that only the training needed (the classifier) are left out. */
export function backboneFile(weights: readonly Weight[]): Uint8Array {
  return writeOnnx({
    name: 'millrace-backbone',
    inputs: [{ name: 'image', shape: ['batch', 3, INPUT_HEIGHT, INPUT_WIDTH] }],
    outputs: [{ name: 'features', shape: ['batch', FEATURES] }],
    initializers: asInitializers(weights.filter(({ name }) => name.startsWith('conv'))),
    nodes: forwardNodes(),
  })
}
