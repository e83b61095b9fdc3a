import type { OnnxInitializer, OnnxNode } from '@millrace/platform/model/onnx-writer.ts'
import { createRandom } from '@millrace/sample-fish/random.ts'

export const INPUT_WIDTH = 128
export const INPUT_HEIGHT = 80

export interface Layer {
  readonly from: number
  readonly to: number
  readonly stride: 1 | 2
}

/** Five 3 x 3 convolutions, about 190,000 weights: 0.76 MB as 32-bit floats. */
export const layers: readonly Layer[] = [
  { from: 3, to: 16, stride: 2 },
  { from: 16, to: 32, stride: 2 },
  { from: 32, to: 64, stride: 1 },
  { from: 64, to: 96, stride: 2 },
  { from: 96, to: 128, stride: 2 },
]

/** Mean and greatest activation of each channel of the last layer. */
export const FEATURES = 256

/** A weight tensor by name, changed in place while training. */
export interface Weight {
  readonly name: string
  readonly dims: readonly number[]
  readonly data: Float32Array
}

/** He's initialisation: normal with variance 2 / fan-in; biases zero. */
export function initialWeights(seed: number): Weight[] {
  return layers.flatMap(({ from, to }, i): Weight[] => {
    const random = createRandom(`backbone/${seed}/${i}`)
    const deviation = Math.sqrt(2 / (from * 9))
    const kernel = Float32Array.from({ length: to * from * 9 }, () => random.normal(0, deviation))
    return [
      { name: `conv${i}.weight`, dims: [to, from, 3, 3], data: kernel },
      { name: `conv${i}.bias`, dims: [to], data: new Float32Array(to) },
    ]
  })
}

/** The forward pass from `image` [n, 3, height, width] to `features` [n, 256]; activations are named `act0`, `act1`, ... */
export function forwardNodes(): OnnxNode[] {
  const convolutions = layers.flatMap(({ stride }, i): OnnxNode[] => [
    {
      op: 'Conv',
      inputs: [i === 0 ? 'image' : `act${i - 1}`, `conv${i}.weight`, `conv${i}.bias`],
      outputs: [`pre${i}`],
      attributes: { kernel_shape: { ints: [3, 3] }, strides: { ints: [stride, stride] }, pads: { ints: [1, 1, 1, 1] } },
    },
    { op: 'Relu', inputs: [`pre${i}`], outputs: [`act${i}`] },
  ])
  const last = `act${layers.length - 1}`
  return [
    ...convolutions,
    { op: 'GlobalAveragePool', inputs: [last], outputs: ['mean4'] },
    { op: 'GlobalMaxPool', inputs: [last], outputs: ['max4'] },
    { op: 'Concat', inputs: ['mean4', 'max4'], outputs: ['pooled'], attributes: { axis: { int: 1 } } },
    { op: 'Flatten', inputs: ['pooled'], outputs: ['features'] },
  ]
}

export const asInitializers = (weights: readonly Weight[]): OnnxInitializer[] => weights.map(({ name, dims, data }) => ({ name, dims, data }))
