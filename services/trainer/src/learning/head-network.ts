import {
  add,
  matMul,
  mul,
  relu,
  softmax,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
  type Variable,
  variable,
} from '@tensorflow/tfjs-core'
import type { DenseLayer, HeadWeights } from './head-weights.ts'
import type { SeededRandom } from './seeded-random.ts'

/** The head while tfjs holds it: weights are variables, in the order kernel, bias, kernel, bias. */
export interface HeadNetwork {
  readonly mean: Tensor1D
  readonly factor: Tensor1D
  readonly variables: readonly Variable[]
  readonly shape: readonly Pick<DenseLayer, 'inputs' | 'outputs'>[]
}

export function createNetwork({ mean, factor, layers }: HeadWeights): HeadNetwork {
  return {
    mean: tensor1d(mean),
    factor: tensor1d(factor),
    variables: layers.flatMap(({ inputs, outputs, kernel, bias }) => [variable(tensor2d(kernel, [inputs, outputs])), variable(tensor1d(bias))]),
    shape: layers.map(({ inputs, outputs }) => ({ inputs, outputs })),
  }
}

export function disposeNetwork({ mean, factor, variables }: HeadNetwork): void {
  for (const tensor of [mean, factor, ...variables]) tensor.dispose()
}

/** The weights as they are now, copied out of tfjs. */
export function readWeights(network: HeadNetwork): HeadWeights {
  const floats = (tensor: Tensor | undefined): Float32Array => Float32Array.from(tensor?.dataSync() ?? [])
  const layers = network.shape.map((shape, i) => ({ ...shape, kernel: floats(network.variables[2 * i]), bias: floats(network.variables[2 * i + 1]) }))
  return { mean: floats(network.mean), factor: floats(network.factor), layers }
}

/** Leaves out a share of the units and scales the rest up; the mask comes from our own seeded stream. */
function drop(values: Tensor, share: number, random: SeededRandom): Tensor {
  if (share === 0) return values
  const [rows = 0, columns = 0] = values.shape
  const mask = Float32Array.from({ length: rows * columns }, () => (random.next() < share ? 0 : 1 / (1 - share)))
  return mul(values, tensor2d(mask, [rows, columns]))
}

export interface Dropout {
  readonly share: number
  readonly random: SeededRandom
}

/** Scores before the softmax, one column per class; `dropout` only while training. */
export function logits(network: HeadNetwork, features: Tensor2D, dropout?: Dropout): Tensor {
  let values: Tensor = mul(sub(features, network.mean), network.factor)
  for (let layer = 0; layer < network.shape.length; layer++) {
    const [kernel, bias] = [network.variables[2 * layer], network.variables[2 * layer + 1]]
    if (!kernel || !bias) throw new Error(`Layer ${layer} of the head has no weights`)
    const kept = dropout ? drop(values, dropout.share, dropout.random) : values
    const scores = add(matMul(kept, kernel), bias)
    values = layer < network.shape.length - 1 ? relu(scores) : scores
  }
  return values
}

/** Probabilities of each row, flat: what the head of this runtime answers. */
export function predictProbabilities(network: HeadNetwork, rows: readonly Float32Array[], width: number): Float32Array {
  const scores = tidy(() => softmax(logits(network, stackRows(rows, width))))
  const probabilities = Float32Array.from(scores.dataSync())
  scores.dispose()
  return probabilities
}

export function stackRows(rows: readonly Float32Array[], width: number): Tensor2D {
  const flat = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) flat.set(row, i * width)
  return tensor2d(flat, [rows.length, width])
}
