import { expect, test } from 'vitest'
import { mirrorTensor } from './extract-features.ts'
import { shortFloats } from './float-text.ts'
import { poolFeatures, poolingOf } from './pooling.ts'

const map = { name: 'f', datatype: 'FP32' as const, shape: [1, 2, 1, 2], data: Float32Array.of(1, 3, 10, 30) }

test('feature maps are averaged over their places, channels first or last', () => {
  expect(poolFeatures(map, poolingOf(map.shape, 'NCHW'))).toEqual({ features: Float32Array.of(2, 20), width: 2 })
  expect(poolFeatures(map, poolingOf(map.shape, 'NHWC'))).toEqual({ features: Float32Array.of(5.5, 16.5), width: 2 })
})

test('rows of features stay as they are, other shapes are refused', () => {
  expect(poolFeatures({ ...map, shape: [2, 2] }, poolingOf([2, 2], 'NCHW'))).toEqual({ features: map.data, width: 2 })
  expect(() => poolingOf([1, 2, 3], 'NCHW')).toThrow('[1, 2, 3]')
})

test('a mirrored picture turns each row around, in both layouts', () => {
  const size = { kind: 'image' as const, width: 2, height: 1, resize: 'fill' as const, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }
  const pixels = Float32Array.of(1, 2, 3, 4, 5, 6)
  expect([...mirrorTensor(pixels, { ...size, layout: 'NHWC' })]).toEqual([4, 5, 6, 1, 2, 3])
  expect([...mirrorTensor(pixels, { ...size, layout: 'NCHW' })]).toEqual([2, 1, 4, 3, 6, 5])
})

test('floats are stored short and read back the same', () => {
  const values = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i) * 10 ** ((i % 9) - 4))
  expect(Float32Array.from(shortFloats(values))).toEqual(values)
})
