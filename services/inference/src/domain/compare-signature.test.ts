import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { findDifference, isBatchable } from './compare-signature.ts'

const signature = (input: Partial<Signature['inputs'][number]> = {}, outputs = ['y']): Signature => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3], ...input }],
  outputs: outputs.map((name) => ({ name, datatype: 'FP32', shape: [-1, 1] })),
})

test('the same signature agrees, and an open dimension agrees with any', () => {
  expect(findDifference(signature(), signature())).toBeNull()
  expect(findDifference(signature(), signature({ shape: [-1, -1] }))).toBeNull()
  expect(findDifference(signature({ shape: [1, 3] }), signature())).toBeNull()
})

test.each([
  ['another name', signature({ name: 'z' }), "'z'"],
  ['another datatype', signature({ datatype: 'INT64' }), 'INT64'],
  ['another size', signature({ shape: [-1, 4] }), '[-1, 4]'],
  ['another rank', signature({ shape: [-1, 3, 1] }), '[-1, 3, 1]'],
  ['an output more', signature({}, ['y', 'more']), "'more'"],
  ['an output less', signature({}, []), "'y'"],
])('%s is a difference, and is named', (_, found, expected) => {
  expect(findDifference(signature(), found)).toContain(expected)
})

test('only models whose every tensor has an open first dimension are batched', () => {
  expect(isBatchable(signature())).toBe(true)
  expect(isBatchable(signature({ shape: [1, 3] }))).toBe(false)
})
