import { expect, test } from 'vitest'
import { describePredictions } from './describe-predictions.ts'
import { renderNested, renderPieces, renderRecords, renderRows, renderRowsWithBase64, renderTensor } from './render-tensor.ts'
import type { Tensor } from './tensor.ts'

const floats = (shape: number[], ...data: number[]): Tensor => ({ name: 'y', datatype: 'FP32', shape, data: Float32Array.from(data) })
const longs = (shape: number[], ...data: bigint[]): Tensor => ({ name: 'k', datatype: 'INT64', shape, data: BigInt64Array.from(data) })

test('nested lists follow the shape', () => {
  expect(renderNested(floats([], 7))).toBe('7')
  expect(renderNested(floats([2], 1, 2))).toBe('[1,2]')
  expect(renderNested(floats([2, 1, 2], 1, 2, 3, Number.NaN))).toBe('[[[1,2]],[[3,null]]]')
  expect(renderNested(longs([2, 1], 2n ** 60n, -1n))).toBe('[[1152921504606846976],[-1]]')
})

test('a row is a bare value where the output has one per row', () => {
  expect(renderRows(floats([2, 1], 1, 2), true)).toEqual(['1', '2'])
  expect(renderRows(floats([2, 1], 1, 2), false)).toEqual(['[1]', '[2]'])
  expect(renderRecords([floats([2, 1], 1, 2), longs([2], 3n, 4n)], true)).toEqual(['{"y":1,"k":3}', '{"y":2,"k":4}'])
})

test('text of an output named _bytes is base64', () => {
  const text = (name: string, shape: number[]): Tensor => ({ name, datatype: 'BYTES', shape, data: ['a', 'é'] })
  expect(renderRowsWithBase64(text('t_bytes', [2]))).toEqual(['{"b64":"YQ=="}', '{"b64":"w6k="}'])
  expect(renderRowsWithBase64(text('t_bytes', [1, 2]))).toEqual(['[{"b64":"YQ=="},{"b64":"w6k="}]'])
  expect(renderRowsWithBase64(text('t', [2]))).toEqual(['"a"', '"é"'])
})

test('pieces make the same text as the whole', () => {
  const tensor = floats([40_000], ...Array.from({ length: 40_000 }, (_, index) => index))
  expect([...renderPieces(tensor)].length).toBeGreaterThan(3)
  expect([...renderPieces(tensor)].join('')).toBe(renderTensor(tensor))
})

const labels = [
  { class: 'a', label: 'A' },
  { class: 'b', label: 'B' },
]

test('a prediction is a label, the class that a classifier names, or what the model answers', () => {
  const probabilities: Tensor = { ...floats([2, 2], 0.25, 0.75, 0.5, 0.5), name: 'probabilities' }
  expect(describePredictions([probabilities], labels)).toEqual([
    { prediction: '"b"', confidence: 0.75 },
    { prediction: '"a"', confidence: 0.5 },
  ])
  expect(describePredictions([longs([2], 7n, 9n), probabilities], null)).toEqual([
    { prediction: '7', confidence: 0.75 },
    { prediction: '9', confidence: 0.5 },
  ])
  expect(describePredictions([floats([2, 1], 3, 4)], null)).toEqual([
    { prediction: '3', confidence: null },
    { prediction: '4', confidence: null },
  ])
  expect(describePredictions([floats([1, 2], 3, 4)], null)).toEqual([{ prediction: '[3,4]', confidence: null }])
  expect(describePredictions([floats([1, 2], Number.NaN, 1)], labels)).toEqual([{ prediction: '"a"', confidence: null }])
  expect(describePredictions([], labels)).toEqual([])
})
