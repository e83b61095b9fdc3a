import type { Datatype } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { castCell } from './cast-cell.ts'
import { type TabularSpec, tableInputs } from './table-inputs.ts'

const outputs = [{ name: 'out', datatype: 'FP32' as const, shape: [-1] }]
const single = (datatype: Datatype, shape: number[], columns?: string[]): TabularSpec => ({
  signature: { inputs: [{ name: 'x', datatype, shape }], outputs },
  columns: columns?.map((name) => ({ name, type: 'double' })) ?? null,
})
const JSON_CELLS = { text: false }
const dataOf = (spec: TabularSpec, columns: string[] | null, rows: unknown[][]) => {
  const result = tableInputs(spec, { columns, rows }, JSON_CELLS)
  return 'refused' in result ? result.refused : result.inputs.map(({ shape, data }) => [shape, Array.from<unknown>(data)])
}

test('columns are taken by name in the order of the model, others are ignored', () => {
  expect(dataOf(single('FP32', [-1, 2], ['a', 'b']), ['b', 'z', 'a'], [[2, 9, 1]])).toEqual([
    [
      [1, 2],
      [1, 2],
    ],
  ])
  expect(
    dataOf(
      single('FP32', [-1, -1]),
      ['b', 'a'],
      [
        [2, 1],
        [4, 3],
      ],
    ),
  ).toEqual([
    [
      [2, 2],
      [2, 1, 4, 3],
    ],
  ])
})

test('a column of lists is the tensor itself', () => {
  expect(dataOf(single('FP32', [-1, 3]), ['x'], [[[1, 2, 3]], [[4, 5, 6]]])).toEqual([
    [
      [2, 3],
      [1, 2, 3, 4, 5, 6],
    ],
  ])
  expect(dataOf(single('INT64', [-1]), ['x'], [[1], [2]])).toEqual([[[2], [1n, 2n]]])
})

test('a value may be missing where it is a float', () => {
  expect(dataOf(single('FP32', [-1, 2]), ['a', 'b'], [[null, 1]])).toEqual([
    [
      [1, 2],
      [Number.NaN, 1],
    ],
  ])
  expect(dataOf(single('INT32', [-1, 2]), ['a', 'b'], [[null, 1]])).toContain("row 0 of the column 'a'")
})

test('each of several inputs takes the column of its name', () => {
  const spec: TabularSpec = {
    signature: {
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [-1, 1] },
        { name: 'b', datatype: 'BYTES', shape: [-1] },
      ],
      outputs,
    },
  }
  expect(
    dataOf(
      spec,
      ['b', 'a'],
      [
        ['t', 1],
        ['u', 2],
      ],
    ),
  ).toEqual([
    [
      [2, 1],
      [1, 2],
    ],
    [[2], ['t', 'u']],
  ])
  expect(dataOf(spec, null, [[1]])).toBe('Expected 2 features, got 1')
  expect(dataOf(spec, ['a'], [[1]])).toContain("'b' is missing")
})

test.each([
  ['1.5', 'FP32', 1.5],
  [' -2e3 ', 'FP64', -2000],
  ['', 'FP32', null],
  ['NaN', 'FP32', null],
  ['abc', 'FP32', 'abc'],
  ['0x10', 'INT32', '0x10'],
  ['True', 'BOOL', true],
  ['9223372036854775807', 'INT64', '9223372036854775807'],
  ['+5', 'INT64', '5'],
  ['NA', 'BYTES', 'NA'],
] as const)('the CSV cell %j is read as %s', (cell, datatype, expected) => {
  expect(castCell(cell, datatype, null, true)).toBe(expected)
})

test('binary columns are base64, instants are nanoseconds', () => {
  const of = (type: string) => ({ name: 'x', type })
  expect(castCell('w6k=', 'BYTES', of('binary'), false)).toBe('é')
  expect(castCell('%', 'BYTES', of('binary'), false)).toBeNull()
  expect(castCell('1970-01-01T00:00:01.5Z', 'INT64', of('datetime'), false)).toBe('1500000000')
  expect(castCell('1970-01-02', 'INT64', of('datetime'), true)).toBe('86400000000000')
  expect(castCell('soon', 'INT64', of('datetime'), false)).toBe('soon')
})
