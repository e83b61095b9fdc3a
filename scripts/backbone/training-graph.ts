import { type OnnxInitializer, type OnnxNode, writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import { FEATURES, forwardNodes, INPUT_HEIGHT, INPUT_WIDTH, type Layer, layers } from './architecture.ts'

/** Collects nodes and constants while a graph is put together. */
interface Draft {
  readonly nodes: OnnxNode[]
  readonly constants: OnnxInitializer[]
}

const ints = (draft: Draft, name: string, values: readonly number[]): string => {
  draft.constants.push({ name, dims: [values.length], data: BigInt64Array.from(values.map(BigInt)) })
  return name
}

const scalar = (draft: Draft, name: string, value: number): string => {
  draft.constants.push({ name, dims: [], data: Float32Array.of(value) })
  return name
}

const add = (draft: Draft, op: string, inputs: readonly string[], output: string, attributes: OnnxNode['attributes'] = {}): string => {
  draft.nodes.push({ op, inputs, outputs: [output], attributes })
  return output
}

/** Height and width of the input of layer `index`. */
export function sizeBefore(index: number): readonly [height: number, width: number] {
  const shrink = layers.slice(0, index).reduce((product, { stride }) => product * stride, 1)
  return [INPUT_HEIGHT / shrink, INPUT_WIDTH / shrink]
}

/** Softmax cross-entropy against `target` [n, classes]; the gradient at the logits is `softmax - target`, divided by n. */
function lossNodes(draft: Draft, batch: number): void {
  add(draft, 'Gemm', ['features', 'classifier.weight', 'classifier.bias'], 'logits')
  add(draft, 'LogSoftmax', ['logits'], 'log', { axis: { int: 1 } })
  add(draft, 'Exp', ['log'], 'probabilities')
  add(draft, 'Mul', ['log', 'target'], 'matched')
  add(draft, 'ReduceSum', ['matched', ints(draft, 'both', [0, 1])], 'negative', { keepdims: { int: 0 } })
  add(draft, 'Div', ['negative', scalar(draft, 'minusBatch', -batch)], 'loss')
  add(draft, 'Sub', ['probabilities', 'target'], 'difference')
  add(draft, 'Div', ['difference', scalar(draft, 'batch', batch)], 'dLogits')
  add(draft, 'Gemm', ['features', 'dLogits'], 'd.classifier.weight', { transA: { int: 1 } })
  add(draft, 'ReduceSum', ['dLogits', ints(draft, 'rows', [0])], 'd.classifier.bias', { keepdims: { int: 0 } })
  add(draft, 'Gemm', ['dLogits', 'classifier.weight'], 'dFeatures', { transB: { int: 1 } })
}

/** The mean hands its gradient to every place alike, the maximum to the places that reach it. */
function poolingNodes(draft: Draft): void {
  const last = layers.length - 1
  const [height, width] = sizeBefore(layers.length)
  const channels = FEATURES / 2
  add(draft, 'Reshape', ['dFeatures', ints(draft, 'as4', [-1, FEATURES, 1, 1])], 'dPooled')
  draft.nodes.push({
    op: 'Split',
    inputs: ['dPooled', ints(draft, 'halves', [channels, channels])],
    outputs: ['dMean4', 'dMax4'],
    attributes: { axis: { int: 1 } },
  })
  add(draft, 'Div', ['dMean4', scalar(draft, 'places', height * width)], 'dMeanEach')
  add(draft, 'Equal', [`act${last}`, 'max4'], 'isMax')
  add(draft, 'Cast', ['isMax'], 'maxMask', { to: { int: 1 } })
  add(draft, 'Mul', ['maxMask', 'dMax4'], 'dMaxEach')
  add(draft, 'Add', ['dMeanEach', 'dMaxEach'], `dAct${last}`)
}

/** The nine shifted views of the padded input side by side: [n * h * w, 9 * channels]. */
function columns(draft: Draft, index: number, layer: Layer): string {
  const [height, width] = sizeBefore(index + 1)
  const padded = add(draft, 'Pad', [index === 0 ? 'image' : `act${index - 1}`, ints(draft, `pads${index}`, [0, 0, 1, 1, 0, 0, 1, 1])], `padded${index}`)
  const axes = ints(draft, `axes${index}`, [2, 3])
  const stride = ints(draft, `stride${index}`, [layer.stride, layer.stride])
  const views = Array.from({ length: 9 }, (_, place) => {
    const [y, x] = [Math.floor(place / 3), place % 3]
    const starts = ints(draft, `from${index}.${place}`, [y, x])
    const ends = ints(draft, `to${index}.${place}`, [y + (height - 1) * layer.stride + 1, x + (width - 1) * layer.stride + 1])
    return add(draft, 'Slice', [padded, starts, ends, axes, stride], `view${index}.${place}`)
  })
  add(draft, 'Concat', views, `views${index}`, { axis: { int: 1 } })
  add(draft, 'Transpose', [`views${index}`], `last${index}`, { perm: { ints: [0, 2, 3, 1] } })
  return add(draft, 'Reshape', [`last${index}`, ints(draft, `colShape${index}`, [-1, 9 * layer.from])], `columns${index}`)
}

/** Gradient of one convolution: bias and kernel from the columns of its input, input by the transposed convolution. */
function convolutionNodes(draft: Draft, index: number, layer: Layer): void {
  add(draft, 'Greater', [`pre${index}`, 'zero'], `open${index}`)
  add(draft, 'Cast', [`open${index}`], `mask${index}`, { to: { int: 1 } })
  const gradient = add(draft, 'Mul', [`dAct${index}`, `mask${index}`], `dPre${index}`)
  add(draft, 'ReduceSum', [gradient, ints(draft, `all${index}`, [0, 2, 3])], `d.conv${index}.bias`, { keepdims: { int: 0 } })
  add(draft, 'Transpose', [gradient], `channelFirst${index}`, { perm: { ints: [1, 0, 2, 3] } })
  add(draft, 'Reshape', [`channelFirst${index}`, ints(draft, `flat${index}`, [layer.to, -1])], `rows${index}`)
  add(draft, 'MatMul', [`rows${index}`, columns(draft, index, layer)], `kernel2${index}`)
  add(draft, 'Reshape', [`kernel2${index}`, ints(draft, `kernelShape${index}`, [layer.to, 3, 3, layer.from])], `kernel4${index}`)
  add(draft, 'Transpose', [`kernel4${index}`], `d.conv${index}.weight`, { perm: { ints: [0, 3, 1, 2] } })
  if (index === 0) return
  const same = { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] }, strides: { ints: [layer.stride, layer.stride] } }
  add(draft, 'ConvTranspose', [gradient, `conv${index}.weight`], `dAct${index - 1}`, {
    ...same,
    output_padding: { ints: [layer.stride - 1, layer.stride - 1] },
  })
}

/**
 * One training step as an ONNX graph: image, target and all weights in; loss, probabilities and the gradient of every weight out (`d.<name>`).
 * The inference runtime has no training kernels, but every gradient of this network is itself made of convolutions and products that it has.
 */
export function trainingGraph(batch: number, classes: number, weights: readonly { name: string; dims: readonly number[] }[]): Uint8Array {
  const draft: Draft = { nodes: [...forwardNodes()], constants: [] }
  scalar(draft, 'zero', 0)
  lossNodes(draft, batch)
  poolingNodes(draft)
  for (const [index, layer] of [...layers.entries()].reverse()) convolutionNodes(draft, index, layer)
  return writeOnnx({
    name: 'training-step',
    inputs: [
      { name: 'image', shape: [batch, 3, INPUT_HEIGHT, INPUT_WIDTH] },
      { name: 'target', shape: [batch, classes] },
      ...weights.map(({ name, dims }) => ({ name, shape: dims })),
    ],
    outputs: [
      { name: 'loss', shape: [] },
      { name: 'probabilities', shape: [batch, classes] },
      ...weights.map(({ name, dims }) => ({ name: `d.${name}`, shape: dims })),
    ],
    initializers: draft.constants,
    nodes: draft.nodes,
  })
}
