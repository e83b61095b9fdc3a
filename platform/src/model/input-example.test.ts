import type { ModelSpec, TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { readInputExample } from './input-example.ts'

const input = (name: string, datatype: TensorSpec['datatype'], ...shape: number[]): TensorSpec => ({ name, datatype, shape })
const specOf = (inputs: TensorSpec[], columns: string[] | null = null): ModelSpec => ({
  ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file: 'model.onnx' }], signature: { inputs, outputs: inputs } },
  columns: columns?.map((name) => ({ name, type: 'double' })) ?? null,
  ...{ labels: null, preprocessing: null, inputExample: null, parity: null, referenceProfile: null },
})

const matrix = specOf([input('x', 'FP32', -1, 2)], ['a', 'b'])
const rows = [
  [1, 2],
  [3, 4],
]
const asMatrix = [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] }]

test.each([
  ['a list of rows', rows],
  ['the inputs of a body', { inputs: rows }],
  ['the instances of a body', { instances: rows }],
  ['inputs by name', { inputs: { x: rows } }],
  ['an object of inputs', { x: rows }],
  ['a table', { columns: ['a', 'b'], data: rows }],
  [
    'a table with its columns in another order',
    {
      columns: ['b', 'more', 'a'],
      data: [
        [2, 0, 1],
        [4, 0, 3],
      ],
    },
  ],
  ['a table in a body', { dataframe_split: { columns: ['a', 'b'], data: rows, index: [0, 1] } }],
  [
    'records',
    [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ],
  ],
  [
    'records in a body',
    {
      dataframe_records: [
        { a: 1, b: 2 },
        { a: 3, b: 4 },
      ],
    },
  ],
  ['its own form', { inputs: asMatrix }],
])('%s is read as one tensor', (_name, content) => {
  expect(readInputExample(content, matrix)).toEqual(asMatrix)
})

test('columns go to the inputs of their names, each in its own type', () => {
  const spec = specOf([input('age', 'INT64', -1, 1), input('city', 'BYTES', -1, 1), input('paid', 'BOOL', -1)], ['age', 'city', 'paid'])
  expect(readInputExample({ columns: ['paid', 'age', 'city'], data: [[true, 20, 'Oslo']] }, spec)).toEqual([
    { name: 'age', datatype: 'INT64', shape: [1, 1], data: [20] },
    { name: 'city', datatype: 'BYTES', shape: [1, 1], data: ['Oslo'] },
    { name: 'paid', datatype: 'BOOL', shape: [1], data: [true] },
  ])
})

test('of many rows a few are taken', () => {
  const many = Array.from({ length: 500 }, () => [0, 0])
  expect(readInputExample(many, matrix)?.[0]?.shape).toEqual([16, 2])
})

test.each([
  ['a missing value', [[1, null]]],
  ['rows of different lengths', [[1, 2], [3]]],
  ['too few columns', [[1], [2]]],
  ['a column that is not there', { columns: ['a', 'c'], data: rows }],
  ['nothing', null],
  ['a sparse matrix', { data: [1], indices: [0], indptr: [0, 1], shape: [1, 2] }],
])('%s is no example', (_name, content) => {
  expect(readInputExample(content, specOf([input('x', 'FP32', -1, 2)], ['a', 'b']))).toBeNull()
})
