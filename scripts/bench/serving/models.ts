import { type OnnxNode, writeOnnx } from '@millrace/platform/model/onnx-writer.ts'

/** A network that is served everywhere alike: input `x`, output `y`, a variable number of rows. */
export interface BenchModel {
  readonly name: string
  readonly what: string
  /** Of one row. */
  readonly shape: readonly number[]
  readonly onnx: Uint8Array
}

/** Weights between -0.05 and 0.05, the same in every run (Park and Miller's generator). */
function createWeights() {
  let state = 20_261
  return (size: number): Float32Array => {
    const data = new Float32Array(size)
    for (let index = 0; index < size; index += 1) {
      state = (state * 48_271) % 2_147_483_647
      data[index] = (state / 2_147_483_647 - 0.5) / 10
    }
    return data
  }
}

interface Parts {
  readonly nodes: OnnxNode[]
  readonly initializers: { name: string; dims: readonly number[]; data: Float32Array }[]
  last: string
}

function build(name: string, shape: readonly number[], outputs: number, layers: (parts: Parts, weights: (size: number) => Float32Array) => void): Uint8Array {
  const parts: Parts = { nodes: [], initializers: [], last: 'x' }
  layers(parts, createWeights())
  parts.nodes.push({ op: 'Softmax', inputs: [parts.last], outputs: ['y'], attributes: { axis: { int: -1 } } })
  const graph = { name, inputs: [{ name: 'x', shape: ['n', ...shape] }], outputs: [{ name: 'y', shape: ['n', outputs] }] }
  return writeOnnx({ ...graph, initializers: parts.initializers, nodes: parts.nodes })
}

function dense(parts: Parts, weights: (size: number) => Float32Array, from: number, to: number, relu: boolean): void {
  const at = `dense_${parts.nodes.length}`
  parts.initializers.push({ name: `${at}_w`, dims: [from, to], data: weights(from * to) }, { name: `${at}_b`, dims: [to], data: weights(to) })
  parts.nodes.push({ op: 'Gemm', inputs: [parts.last, `${at}_w`, `${at}_b`], outputs: [at] })
  parts.last = at
  if (relu) addRelu(parts)
}

function convolve(parts: Parts, weights: (size: number) => Float32Array, from: number, to: number): void {
  const at = `conv_${parts.nodes.length}`
  parts.initializers.push({ name: `${at}_w`, dims: [to, from, 3, 3], data: weights(to * from * 9) })
  const attributes = { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } }
  parts.nodes.push({ op: 'Conv', inputs: [parts.last, `${at}_w`], outputs: [at], attributes })
  parts.last = at
  addRelu(parts)
}

function addRelu(parts: Parts): void {
  const at = `${parts.last}_relu`
  parts.nodes.push({ op: 'Relu', inputs: [parts.last], outputs: [at] })
  parts.last = at
}

/** Convolutions with stride 2, an average over what is left, ten classes. */
const convnet = (name: string, channels: readonly number[]): Uint8Array =>
  build(name, [3, 96, 96], 10, (parts, weights) => {
    for (const [index, to] of channels.entries()) convolve(parts, weights, channels[index - 1] ?? 3, to)
    const last = channels.at(-1) ?? 0
    parts.nodes.push({ op: 'GlobalAveragePool', inputs: [parts.last], outputs: ['pooled'] }, { op: 'Flatten', inputs: ['pooled'], outputs: ['flat'] })
    parts.last = 'flat'
    dense(parts, weights, last, 10, false)
  })

const mlp = build('mlp', [16], 2, (parts, weights) => {
  dense(parts, weights, 16, 256, true)
  dense(parts, weights, 256, 256, true)
  dense(parts, weights, 256, 2, false)
})

const megabytes = ({ length }: Uint8Array): string => `${(length / 1e6).toFixed(1)} MB`
const model = (name: string, what: string, shape: readonly number[], onnx: Uint8Array): BenchModel => ({
  name,
  what: `${what}, ${megabytes(onnx)}`,
  shape,
  onnx,
})

export const benchModels: readonly BenchModel[] = [
  model('mlp', 'MLP 16-256-256-2', [16], mlp),
  model('convnet', 'small convnet, 96×96×3', [3, 96, 96], convnet('convnet', [16, 32, 64])),
  model('large', 'large convnet, 96×96×3', [3, 96, 96], convnet('large', [32, 128, 512, 1152])),
]

/** One row of input, nested as its shape says. */
export function rowOf(shape: readonly number[]): unknown {
  const [size = 0, ...rest] = shape
  return Array.from({ length: size }, (_, index) => (rest.length === 0 ? ((index * 37) % 100) / 100 : rowOf(rest)))
}
