import type { Signature } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { findDifference, isBatchable, withToldRanks } from './compare-signature.ts'

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

test('an output whose dimensions were not declared agrees with those that are found, and takes them', () => {
  const untold = { ...signature(), outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [] }] }
  expect(findDifference(untold, signature())).toBeNull()
  expect(withToldRanks(untold, signature())).toEqual(signature())
  expect(findDifference({ ...untold, outputs: [{ name: 'y', datatype: 'INT64', shape: [] }] }, signature())).toContain('INT64')
})

test('only models whose every tensor has an open first dimension are batched', () => {
  expect(isBatchable(signature())).toBe(true)
  expect(isBatchable(signature({ shape: [1, 3] }))).toBe(false)
})
