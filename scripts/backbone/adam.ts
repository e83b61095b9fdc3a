import type { Weight } from './architecture.ts'

/** Adam (Kingma and Ba 2015) with bias correction; changes the weights in place. */
export function createAdam(weights: readonly Weight[], decay = 1e-4): (gradients: readonly Float32Array[], rate: number) => void {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-7]
  const first = weights.map(({ data }) => new Float32Array(data.length))
  const second = weights.map(({ data }) => new Float32Array(data.length))
  let step = 0

  const update = (weight: Float32Array, gradient: Float32Array, m: Float32Array, v: Float32Array, rate: number): void => {
    for (let i = 0; i < weight.length; i++) {
      const slope = gradient[i] ?? 0
      const mean = beta1 * (m[i] ?? 0) + (1 - beta1) * slope
      const square = beta2 * (v[i] ?? 0) + (1 - beta2) * slope * slope
      m[i] = mean
      v[i] = square
      weight[i] = (weight[i] ?? 0) * (1 - rate * decay) - (rate * mean) / (Math.sqrt(square) + epsilon)
    }
  }

  return function adam(gradients, rate) {
    step++
    const corrected = (rate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step)
    for (const [i, { data }] of weights.entries()) {
      const gradient = gradients[i]
      const m = first[i]
      const v = second[i]
      if (gradient && m && v) update(data, gradient, m, v, corrected)
    }
  }
}
