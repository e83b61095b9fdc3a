import { seededRandom } from './seeded-random.ts'

/** A dense layer: kernel [inputs, outputs] row by row, one bias per output. */
export interface DenseLayer {
  readonly inputs: number
  readonly outputs: number
  readonly kernel: Float32Array
  readonly bias: Float32Array
}

/** What a head knows: how features are standardised, and its dense layers (ReLU between them, softmax after the last). */
export interface HeadWeights {
  /** Subtracted from each feature. */
  readonly mean: Float32Array
  /** Then multiplied with each: 1 / standard deviation over the training rows. */
  readonly factor: Float32Array
  readonly layers: readonly DenseLayer[]
}

/** Glorot's uniform initialisation, from a stream of its own per layer. */
function glorot(inputs: number, outputs: number, seed: number, index: number): DenseLayer {
  const random = seededRandom(seed, `layer-${index}`)
  const limit = Math.sqrt(6 / (inputs + outputs))
  return { inputs, outputs, kernel: Float32Array.from({ length: inputs * outputs }, () => (random.next() * 2 - 1) * limit), bias: new Float32Array(outputs) }
}

export function initialLayers(width: number, hiddenUnits: number, classes: number, seed: number): DenseLayer[] {
  if (hiddenUnits === 0) return [glorot(width, classes, seed, 0)]
  return [glorot(width, hiddenUnits, seed, 0), glorot(hiddenUnits, classes, seed, 1)]
}

/** Mean and 1 / deviation of each feature; a feature that never changes is left as it is. */
export function standardise(rows: readonly Float32Array[], width: number): { mean: Float32Array; factor: Float32Array } {
  const mean = new Float64Array(width)
  const squares = new Float64Array(width)
  for (const row of rows) {
    for (let i = 0; i < width; i++) {
      const value = row[i] ?? 0
      mean[i] = (mean[i] ?? 0) + value / rows.length
      squares[i] = (squares[i] ?? 0) + (value * value) / rows.length
    }
  }
  const factor = Float32Array.from(squares, (square, i) => {
    const variance = square - (mean[i] ?? 0) ** 2
    return variance > 1e-10 ? 1 / Math.sqrt(variance) : 1
  })
  return { mean: Float32Array.from(mean), factor }
}
