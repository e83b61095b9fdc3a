import { expect, test } from 'vitest'
import { toChainTensor } from './number-tensor.ts'

const tensor = (datatype: Parameters<typeof toChainTensor>[0]['datatype'], data: (number | string | boolean)[]) => ({
  name: 'x',
  datatype,
  shape: [data.length],
  data,
})

test('stored rows of every kind become what the runtime takes', () => {
  expect(toChainTensor(tensor('FP32', [0.5])).data).toEqual(Float32Array.of(0.5))
  expect(toChainTensor(tensor('FP16', [1])).data).toEqual(Uint16Array.of(0x3c00))
  expect(toChainTensor(tensor('BOOL', [true, 0])).data).toEqual(Uint8Array.of(1, 0))
  expect(toChainTensor(tensor('INT64', [3, '9223372036854775807'])).data).toEqual(BigInt64Array.of(3n, 9223372036854775807n))
  expect(toChainTensor(tensor('BYTES', ['a', 1])).data).toEqual(['a', '1'])
})

test('a value that is no number of its type is refused, not a crash', () => {
  expect(() => toChainTensor(tensor('INT64', ['many']))).toThrow("The stored rows of 'x' do not fit the element type INT64")
  expect(() => toChainTensor(tensor('UINT64', [Number.NaN]))).toThrow('UINT64')
})
