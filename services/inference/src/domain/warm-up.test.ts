import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { isRefusal, type Tensor } from './tensor.ts'
import { exampleInputs, sameRows, withStrangers } from './warm-up.ts'

const signature: Signature = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }] }
const column = (...values: number[]): Tensor => ({ name: 'y', datatype: 'FP32', shape: [values.length, 1], data: Float32Array.from(values) })

test('a model without an example is warmed up on one row of zeros', () => {
  expect(exampleInputs(signature, null)).toEqual({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0, 0) }] })
})

test('an example that does not fit is refused', () => {
  expect(isRefusal(exampleInputs(signature, [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }]))).toBe(true)
})

test('among strangers there are as many rows of zeros as rows of the example', () => {
  expect(withStrangers([column(1, 2)])).toEqual([column(1, 2, 0, 0)])
})

test('rows that answer the same alone and among strangers are independent', () => {
  expect(sameRows([column(0.5)], [column(0.50001, 7)])).toBe(true)
  expect(sameRows([column(0.5)], [column(0.6, 7)])).toBe(false)
  expect(sameRows([column(0.5)], [column(0.5)])).toBe(false)
  expect(sameRows([column(Number.NaN)], [column(Number.NaN, 1)])).toBe(true)
})
