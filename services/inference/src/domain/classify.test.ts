import { expect, test } from 'vitest'
import { classify, winnerOf } from './classify.ts'
import type { Tensor } from './tensor.ts'

const labels = ['a', 'b', 'c', 'd'].map((name) => ({ class: name, label: name.toUpperCase() }))
const scores = (...values: number[]): Tensor[] => [
  { name: 'features', datatype: 'FP32', shape: [1, 1], data: Float32Array.of(1) },
  { name: 'p', datatype: 'FP32', shape: [1, values.length], data: Float64Array.from(values) },
]

test('the three most probable labels come best first, equal ones in the order of the labels', () => {
  expect(classify(scores(0.2, 0.4, 0.2, 0.2), labels)).toEqual([
    { class: 'b', label: 'B', probability: 0.4 },
    { class: 'a', label: 'A', probability: 0.2 },
    { class: 'c', label: 'C', probability: 0.2 },
  ])
})

test('an answer that is no classification is refused', () => {
  expect(classify(scores(0.5, 0.5), labels)).toHaveProperty('refused')
  expect(classify(scores(0.5, Number.NaN, 0, 0), labels)).toHaveProperty('refused')
  expect(classify([], labels)).toHaveProperty('refused')
})

test('only a classifier of one row has a winner', () => {
  expect(winnerOf(scores(0, 0, 1, 0), labels)?.class).toBe('c')
  expect(winnerOf(scores(0, 0, 1, 0), null)).toBeNull()
  expect(winnerOf(scores(0, 1), labels)).toBeNull()
})
