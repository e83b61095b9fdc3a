import { expect, test } from 'vitest'
import { countNotFinite } from './count-not-finite.ts'
import { toHalf } from './half.ts'

test('NaN and infinities are counted in every width of float, and nowhere else', () => {
  const of = (datatype: 'FP16' | 'FP32' | 'FP64' | 'UINT16', data: Uint16Array | Float32Array | Float64Array) => ({ name: 'y', datatype, shape: [3], data })
  expect(countNotFinite([of('FP32', Float32Array.of(1, Number.NaN, Infinity)), of('FP64', Float64Array.of(-Infinity, 0, 1e300))])).toBe(3)
  expect(countNotFinite([of('FP16', Uint16Array.of(toHalf(Number.NaN), toHalf(1e9), toHalf(65_504)))])).toBe(2)
  expect(countNotFinite([of('UINT16', Uint16Array.of(0x7c00, 0x7e00, 0xffff))])).toBe(0)
})
