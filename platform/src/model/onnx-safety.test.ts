import { expect, test } from 'vitest'
import { inspectOnnx } from './onnx-file.ts'
import { defaultOnnxLimits } from './onnx-limits.ts'
import { bytesField, concatBytes, type Field, intField, messageField, textField } from './protobuf-writer.ts'

const FLOAT = 1
const value = (field: number, name: string, dims: readonly number[] = []): Field => {
  const shape = messageField(
    2,
    dims.map((dim) => messageField(1, [intField(1, dim)])),
  )
  return messageField(field, [textField(1, name), messageField(2, [messageField(1, [intField(1, FLOAT), shape])])])
}
const modelOf = (graph: readonly Field[], rest: readonly Field[] = []): Uint8Array =>
  concatBytes([messageField(7, [...graph, value(11, 'x'), value(12, 'y')]), ...rest])

const pair = (key: string, text: string): Field => messageField(13, [textField(1, key), textField(2, text)])
const dims = (...sizes: number[]): Field[] => sizes.map((size) => intField(1, size))
const weights = (entries: readonly Field[], sizes = [4]): Field =>
  messageField(5, [...dims(...sizes), intField(2, FLOAT), textField(8, 'w'), ...entries, intField(14, 1)])
const beside = new Map([
  ['w.data', 64],
  ['sub/w.data', 64],
  ['..', 64],
  ['/etc/passwd', 64],
])
const inspect = (bytes: Uint8Array) => inspectOnnx(bytes, defaultOnnxLimits, beside)

test('weights in a side file pass where they lie inside it', () => {
  expect(inspect(modelOf([weights([pair('location', 'w.data'), pair('offset', '48'), pair('length', '16')])])).sideFiles).toEqual(['w.data'])
  expect(inspect(modelOf([weights([pair('location', 'w.data')], [16])])).sideFiles).toEqual(['w.data'])
})

test.each([
  ['a path up', [pair('location', '../w.data')], 'not a plain file name'],
  ['the folder above', [pair('location', '..')], 'not a plain file name'],
  ['a path down', [pair('location', 'sub/w.data')], 'not a plain file name'],
  ['a path of another system', [pair('location', 'sub\\w.data')], 'not a plain file name'],
  ['an absolute path', [pair('location', '/etc/passwd')], 'not a plain file name'],
  ['an address in memory', [pair('location', '*/_ORT_MEM_ADDR_/*')], 'not a plain file name'],
  ['a name with a zero byte', [pair('location', 'w.data\0.png')], 'not a plain file name'],
  ['a file that the artifact does not have', [pair('location', 'other.data')], "not a plain file name among the model's own files"],
  ['no place at all', [], 'not a plain file name'],
  ['two places', [pair('location', 'w.data'), pair('location', '/etc/passwd')], 'twice'],
  ['an unknown key', [pair('location', 'w.data'), pair('basepath', '/etc'), pair('length', '16')], "'basepath'"],
  ['a start beyond the end', [pair('location', 'w.data'), pair('offset', '65'), pair('length', '16')], 'end at byte 81'],
  ['an end beyond the end', [pair('location', 'w.data'), pair('offset', '60'), pair('length', '16')], 'end at byte 76'],
  ['a start before the beginning', [pair('location', 'w.data'), pair('offset', '-16')], 'not a number of bytes'],
  ['a length that is no number', [pair('location', 'w.data'), pair('length', '1e1')], 'not a number of bytes'],
  ['more bytes than numbers', [pair('location', 'w.data'), pair('length', '32')], 'their dimensions ask for 16'],
])('weights in %s are refused', (_name, entries, message) => {
  expect(() => inspect(modelOf([weights(entries)]))).toThrow(message)
})

test('the same bytes read over and over count each time', () => {
  const large = weights([pair('location', 'w.data')], [750])
  const within = (tensors: Field[]) => inspectOnnx(modelOf(tensors), { ...defaultOnnxLimits, maxBytes: 8000 }, new Map([['w.data', 3000]]))
  expect(within([large, large]).sideFiles).toEqual(['w.data'])
  expect(() => within([large, large, large])).toThrow('more than 8000 bytes')
})

test('only the main graph may keep weights beside it', () => {
  const inner = messageField(1, [textField(4, 'If'), messageField(5, [messageField(6, [weights([pair('location', 'w.data'), pair('length', '16')])])])])
  expect(() => inspect(modelOf([inner]))).toThrow('node or inner graph')
})

const raw = (sizes: readonly Field[], bytes: number): Field =>
  messageField(5, [...sizes, intField(2, FLOAT), textField(8, 'w'), bytesField(9, new Uint8Array(bytes))])

test.each([
  ['more than memory holds', raw(dims(2 ** 30, 2 ** 30), 4), 'at most'],
  ['below zero', raw(dims(-1), 4), 'has the dimensions [-1]'],
  ['other than its bytes', raw(dims(3), 4), 'has 4 bytes, its dimensions ask for 12'],
  ['packed into one field', raw([bytesField(1, Uint8Array.of(3))], 4), 'has 4 bytes, its dimensions ask for 12'],
  ['of a sparse tensor', messageField(15, [messageField(1, [intField(2, FLOAT), textField(8, 'w')]), intField(3, 2 ** 20), intField(3, 2 ** 20)]), 'at most'],
])('a tensor of dimensions %s is refused', (_name, tensor, message) => {
  expect(() => inspect(modelOf([tensor]))).toThrow(message)
})

test('an input that would not fit into memory is refused, and one of too many dimensions', () => {
  expect(() => inspect(concatBytes([messageField(7, [value(11, 'x', [2 ** 20, 2 ** 20]), value(12, 'y')])]))).toThrow('at most 268435456 bytes')
  expect(() => inspect(concatBytes([messageField(7, [value(11, 'x', [1, 1, 1, 1, 1, 1, 1, 1, 1]), value(12, 'y')])]))).toThrow('9 dimensions')
})

const call = (field: number, name: string): Field => messageField(field, [textField(4, name), textField(7, 'own')])
const define = (name: string, ...nodes: Field[]): Field => messageField(25, [textField(1, name), textField(10, 'own'), ...nodes])

test('a function counts as the nodes that it stands for, and a ladder of them is refused', () => {
  const relu = messageField(7, [textField(4, 'Relu')])
  expect(inspect(modelOf([call(1, 'f0'), call(1, 'f0')], [define('f0', relu, relu)])).nodeCount).toBe(4)
  const ladder = Array.from({ length: 20 }, (_, step) => define(`f${step + 1}`, ...Array.from({ length: 10 }, () => call(7, `f${step}`))))
  expect(() => inspect(modelOf([call(1, 'f20')], [define('f0', relu), ...ladder]))).toThrow('more than 100000 nodes')
})

test.each([
  ['that calls itself', [define('f', call(7, 'f'))], 'deeper than 32'],
  ['that nobody defines', [define('g')], "the operator f of the domain 'own'"],
  ['that is defined twice', [define('f'), define('f')], 'over another one'],
  ['in place of a standard operator', [define('f'), messageField(25, [textField(1, 'Relu'), textField(10, '')])], 'over another one'],
])('a function %s is refused', (_name, functions, message) => {
  expect(() => inspect(modelOf([call(1, 'f')], functions))).toThrow(message)
})
