import { expect, test } from 'vitest'
import { nameFeatures } from './name-features.ts'
import type { Tensor } from './tensor.ts'

const columns = [
  { name: 'age', type: 'double' },
  { name: 'income', type: 'double' },
]
const row: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(36, Number.NaN) }

test('a row of a table is told by its columns, what is no number as missing', () => {
  expect([...nameFeatures([row], { columns })]).toEqual([
    ['age', 36],
    ['income', null],
  ])
})

test('without columns the inputs name their values', () => {
  const text: Tensor = { name: 'city', datatype: 'BYTES', shape: [1, 1], data: ['Bonn'] }
  const big: Tensor = { name: 'n', datatype: 'INT64', shape: [1], data: BigInt64Array.of(7n) }
  const half: Tensor = { name: 'h', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c00) }
  expect([...nameFeatures([row, text, big, half], { columns: null })].map(([name, value]) => `${name}=${value}`)).toEqual([
    'x[0]=36',
    'x[1]=null',
    'city=Bonn',
    'n=7',
    'h=1',
  ])
})
