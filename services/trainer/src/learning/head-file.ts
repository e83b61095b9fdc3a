import { type OnnxInitializer, type OnnxNode, type OnnxValue, writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import type { HeadWeights } from './head-weights.ts'
import type { Pooling } from './pooling.ts'

const PROBABILITIES = 'probabilities'

interface HeadShape {
  readonly pooling: Pooling
  /** Shape of the backbone's output, -1 where it is open. */
  readonly inputShape: readonly number[]
  readonly classes: number
}

function poolingNodes(pooling: Pooling): OnnxNode[] {
  if (pooling === 'none') return []
  const axes = pooling === 'mean-nchw' ? [2, 3] : [1, 2]
  return [{ op: 'ReduceMean', inputs: ['features'], outputs: ['pooled'], attributes: { axes: { ints: axes }, keepdims: { int: 0 } } }]
}

function denseNodes(index: number, last: number): OnnxNode[] {
  const input = index === 0 ? 'standard' : `hidden${index - 1}`
  const scores = index === last ? 'logits' : `scores${index}`
  const gemm: OnnxNode = { op: 'Gemm', inputs: [input, `kernel${index}`, `bias${index}`], outputs: [scores] }
  return index === last ? [gemm] : [gemm, { op: 'Relu', inputs: [scores], outputs: [`hidden${index}`] }]
}

/** The head as an ONNX file: pooling where the backbone gives maps, standardisation, dense layers, softmax. */
export function headFile({ mean, factor, layers }: HeadWeights, { pooling, inputShape, classes }: HeadShape): Uint8Array {
  const input: OnnxValue = { name: 'features', shape: inputShape.map((size, i) => (size > 0 && i > 0 ? size : i === 0 ? 'batch' : `size${i}`)) }
  const initializers: OnnxInitializer[] = [
    { name: 'mean', dims: [mean.length], data: mean },
    { name: 'factor', dims: [factor.length], data: factor },
    ...layers.flatMap(({ inputs, outputs, kernel, bias }, i): OnnxInitializer[] => [
      { name: `kernel${i}`, dims: [inputs, outputs], data: kernel },
      { name: `bias${i}`, dims: [outputs], data: bias },
    ]),
  ]
  const nodes: OnnxNode[] = [
    ...poolingNodes(pooling),
    { op: 'Sub', inputs: [pooling === 'none' ? 'features' : 'pooled', 'mean'], outputs: ['centred'] },
    { op: 'Mul', inputs: ['centred', 'factor'], outputs: ['standard'] },
    ...layers.flatMap((_, i) => denseNodes(i, layers.length - 1)),
    { op: 'Softmax', inputs: ['logits'], outputs: [PROBABILITIES], attributes: { axis: { int: 1 } } },
  ]
  return writeOnnx({ name: 'millrace-head', inputs: [input], outputs: [{ name: PROBABILITIES, shape: ['batch', classes] }], initializers, nodes })
}
