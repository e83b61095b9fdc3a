import { datatypes, type Signature } from '@millrace/contracts/model/model-spec.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseInputs, pickOutputs } from './parse-request.ts'
import { parseTensor } from './parse-tensor.ts'
import { renderData } from './render-tensor.ts'
import { isRefusal, type Tensor } from './tensor.ts'
import { packTensors, unpackTensors } from './tensor-bytes.ts'

const spec = (datatype: Signature['inputs'][number]['datatype'], shape: number[] = [-1, 2]) => ({ name: 'x', datatype, shape })
const raw = (data: unknown[], datatype = 'FP32', shape: number[] = [1, 2]) => ({ name: 'x', datatype, shape, data })
const parse = (datatype: Signature['inputs'][number]['datatype'], data: unknown[], claimed: string = datatype) =>
  parseTensor(spec(datatype), raw(data, claimed))
const problem = (result: object): string => ('refused' in result ? String(result.refused) : 'accepted')

test('flat and nested data are the same tensor', () => {
  const nested = parseTensor(
    spec('FP32'),
    raw(
      [
        [1, 2],
        [3, 4],
      ],
      'FP32',
      [2, 2],
    ),
  )
  expect(nested).toEqual(parseTensor(spec('FP32'), raw([1, 2, 3, 4], 'FP32', [2, 2])))
})

test.each([
  ['a datatype that does not exist', raw([1, 2], 'FLOAT'), 'unknown datatype'],
  ['text where numbers are due', raw(['1', '2'], 'BYTES'), 'does not convert to FP32'],
  ['a rank that differs', raw([1, 2], 'FP32', [2]), 'shape is [2]'],
  ['a fixed dimension that differs', raw([1, 2, 3], 'FP32', [1, 3]), 'shape is [1, 3]'],
  ['no rows', raw([], 'FP32', [0, 2]), 'no elements'],
  ['too few elements', raw([1], 'FP32'), '1 elements'],
  ['a shape far beyond its data', raw([1], 'FP32', [1e15, 2]), '1 elements'],
  ['ragged rows', raw([[1, 2], [3]], 'FP32', [2, 2]), 'nested data'],
  ['rows in rows', raw([[[1], [2]]], 'FP32', [1, 2]), 'element 0 is not a finite number'],
  ['null for NaN', raw([1, null], 'FP32'), 'element 1 is not a finite number'],
  ['the word NaN', raw([1, 'NaN'], 'FP32'), 'element 1 is not a finite number'],
  ['a number beyond the type', raw([1, 1e39], 'FP32'), 'element 1 is not a finite number'],
])('%s is refused', (_, given, expected) => {
  expect(problem(parseTensor(spec('FP32'), given))).toContain(expected)
})

test('messages never repeat what was sent', () => {
  expect(problem(parse('FP32', ['4111-1111', 2], 'FP32'))).not.toContain('4111')
})

test('any numeric datatype that loses nothing is taken', () => {
  expect(parse('FP32', [1, 2.5], 'FP64')).toMatchObject({ datatype: 'FP32' })
  expect(parse('INT8', [-128, 127], 'FP32')).toMatchObject({ data: Int8Array.of(-128, 127) })
  expect(problem(parse('INT8', [1.5, 0]))).toContain('element 0')
  expect(problem(parse('UINT8', [256, 0]))).toContain('element 0')
})

test('64-bit integers come as numbers up to 2^53 or as decimal strings', () => {
  expect(parse('INT64', [1, '-9223372036854775808'])).toMatchObject({ data: BigInt64Array.of(1n, -(2n ** 63n)) })
  expect(problem(parse('INT64', ['9223372036854775808', 0]))).toContain('element 0')
  expect(problem(parse('UINT64', [-1, 0]))).toContain('element 0')
  expect(problem(parse('INT64', [2 ** 53, 0]))).toContain('element 0')
})

test('the largest numbers that still round into FP32 are taken', () => {
  const result = parse('FP32', [3.4028235677973362e38, -3.4028234663852886e38])
  expect(isRefusal(result) ? [] : Array.from(result.data, Number)).toEqual([3.4028234663852886e38, -3.4028234663852886e38])
})

test('a boolean is true or false, and a string is a string', () => {
  expect(parse('BOOL', [true, false])).toMatchObject({ data: Uint8Array.of(1, 0) })
  expect(problem(parse('BOOL', [1, 0]))).toContain('element 0')
  expect(parse('BYTES', ['a', ''])).toMatchObject({ data: ['a', ''] })
})

const signature: Signature = {
  inputs: [spec('FP32'), { name: 'k', datatype: 'INT64', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
}

test('inputs are put in the order of the signature', () => {
  const result = parseInputs(signature, [{ name: 'k', datatype: 'INT64', shape: [1], data: [3] }, raw([1, 2])])
  expect('inputs' in result && result.inputs.map(({ name }) => name)).toEqual(['x', 'k'])
})

test.each([
  ['an unknown name', [{ ...raw([1, 2]), name: 'secret' }], 'inputs[0] has a name'],
  ['a name given twice', [raw([1, 2]), raw([1, 2])], 'given 2 times'],
  ['a missing input', [raw([1, 2])], "Input 'k' INT64 [-1] is missing"],
  ['rows that disagree', [raw([1, 2]), { name: 'k', datatype: 'INT64', shape: [2], data: [1, 2] }], 'disagree'],
])('%s is refused', (_, inputs, expected) => {
  expect(problem(parseInputs(signature, inputs))).toContain(expected)
})

test('outputs asked for must exist and be asked for once', () => {
  expect(pickOutputs(signature, undefined)).toEqual({ outputs: ['y'] })
  expect(problem(pickOutputs(signature, ['z']))).toContain('outputs[0]')
  expect(problem(pickOutputs(signature, ['y', 'y']))).toContain('twice')
})

test('answers are strict JSON: integers as literals, NaN as null', () => {
  const of = (datatype: Tensor['datatype'], data: Tensor['data']): string => renderData({ name: 'y', datatype, shape: [data.length], data })
  expect(of('INT64', BigInt64Array.of(2n ** 60n, -1n))).toBe('[1152921504606846976,-1]')
  expect(of('FP32', Float32Array.of(0.5, Number.NaN, Number.POSITIVE_INFINITY))).toBe('[0.5,null,null]')
  expect(of('BOOL', Uint8Array.of(0, 1))).toBe('[false,true]')
  expect(of('FP16', Uint16Array.of(0x3c00, 0x7e00))).toBe('[1,null]')
  expect(of('BYTES', ['"', 'ü'])).toBe('["\\"","ü"]')
})

test('every datatype survives the way through bytes', () => {
  fc.assert(
    fc.property(fc.constantFrom(...datatypes), fc.array(fc.tuple(fc.nat(100), fc.nat(100)), { minLength: 1 }), (datatype, rows) => {
      const value = (n: number): unknown => (datatype === 'BYTES' ? `t${n}ü` : datatype === 'BOOL' ? n % 2 === 0 : n)
      const tensor = parseTensor(spec(datatype), raw(rows.flat().map(value), datatype, [rows.length, 2]))
      if (isRefusal(tensor)) throw new Error(tensor.refused)
      expect(unpackTensors(packTensors([tensor, { ...tensor, name: 'again' }]))).toEqual([tensor, { ...tensor, name: 'again' }])
    }),
  )
})

test('no JSON value as data is ever a crash', () => {
  fc.assert(
    fc.property(fc.constantFrom(...datatypes), fc.array(fc.jsonValue()), fc.array(fc.nat(5), { maxLength: 4 }), (datatype, data, shape) => {
      expect(() => parseTensor(spec(datatype), { name: 'x', datatype, shape, data })).not.toThrow()
    }),
  )
})
