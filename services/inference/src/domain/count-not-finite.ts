import type { Tensor } from './tensor.ts'

/** Bits of a half's exponent: all set in NaN and the infinities. */
const HALF_EXPONENT = 0x7c00

/** How many elements of float outputs are NaN or infinite: JSON has only `null` for them. */
export function countNotFinite(outputs: readonly Tensor[]): number {
  let count = 0
  for (const { datatype, data } of outputs) {
    if (data instanceof Float32Array || data instanceof Float64Array) for (const value of data) count += Number.isFinite(value) ? 0 : 1
    else if (datatype === 'FP16' && data instanceof Uint16Array) for (const bits of data) count += (bits & HALF_EXPONENT) === HALF_EXPONENT ? 1 : 0
  }
  return count
}
