import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { inspectOnnx } from './onnx-file.ts'
import { defaultOnnxLimits } from './onnx-limits.ts'
import { type OnnxGraph, writeOnnx } from './onnx-writer.ts'
import { concatBytes, type Field, intField, messageField, textField } from './protobuf-writer.ts'

const linear: OnnxGraph = {
  name: 'linear',
  inputs: [{ name: 'x', shape: ['batch', 2] }],
  outputs: [{ name: 'y', shape: ['batch', 3] }],
  initializers: [
    { name: 'w', dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: 'b', dims: [3], data: Float32Array.of(0, 0, 1) },
  ],
  nodes: [{ op: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['y'] }],
}

const tensorValue = (field: number, name: string): Field =>
  messageField(field, [textField(1, name), messageField(2, [messageField(1, [intField(1, 1), messageField(2, [])])])])

/** A model made field by field, to say what the writer never would. */
const modelOf = (graph: readonly Field[], rest: readonly Field[] = []): Uint8Array =>
  concatBytes([
    intField(1, 8),
    messageField(7, [...graph, tensorValue(11, 'x'), tensorValue(12, 'y')]),
    messageField(8, [textField(1, ''), intField(2, 17)]),
    ...rest,
  ])

test('a written model is described: ends, element types, open dimensions, operators', () => {
  expect(inspectOnnx(writeOnnx(linear))).toEqual({
    opsets: [{ domain: '', version: 17 }],
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3] }],
    omittedOutputs: [],
    nodeCount: 1,
    operators: ['Gemm'],
    metadata: {},
    sideFiles: [],
  })
})

test('the same graph is written as the same bytes', () => {
  expect(writeOnnx(linear)).toEqual(writeOnnx(structuredClone(linear)))
})

test('an initializer that does not fill its shape is refused by the writer', () => {
  expect(() => writeOnnx({ ...linear, initializers: [{ name: 'w', dims: [2, 2], data: Float32Array.of(1) }] })).toThrow("'w' has 1 values")
})

test('a model cut anywhere ends in a refusal or in a description, never in another error', () => {
  const whole = writeOnnx(linear)
  for (let length = 0; length < whole.length; length++) expectRefusalOrSummary(whole.subarray(0, length))
})

test('a model with changed bytes ends in a refusal or in a description', () => {
  const whole = writeOnnx(linear)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const bytes = whole.slice()
      for (const [at, byte] of changes) bytes[at] = byte
      expectRefusalOrSummary(bytes)
    }),
    { numRuns: 500 },
  )
})

test('garbage is refused', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectRefusalOrSummary(bytes)))
})

function expectRefusalOrSummary(bytes: Uint8Array): void {
  try {
    expect(inspectOnnx(bytes).inputs.length).toBeGreaterThan(0)
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
  }
}

test.each([
  ['an empty file', new Uint8Array(), 'no ONNX graph'],
  [
    'weights in another file',
    modelOf([messageField(5, [textField(8, 'w'), messageField(13, [textField(1, 'location'), textField(2, '/etc/passwd')])])]),
    'external data',
  ],
  ['weights said to be elsewhere', modelOf([messageField(5, [textField(8, 'w'), intField(14, 1)])]), 'external data'],
  [
    'external data hidden in a constant',
    modelOf([messageField(1, [textField(4, 'Constant'), messageField(5, [messageField(5, [intField(14, 1)])])])]),
    'external data',
  ],
  ['an operator of a custom domain', modelOf([messageField(1, [textField(4, 'Evil'), textField(7, 'com.example')])]), "domain 'com.example'"],
  ['an operator that opens files', modelOf([messageField(1, [textField(4, 'EPContext'), textField(7, 'com.microsoft')])]), 'EPContext'],
  ['training information', modelOf([], [messageField(20, [])]), 'training information'],
])('%s is refused', (_name, bytes, message) => {
  expect(() => inspectOnnx(bytes)).toThrow(message)
})

const sequence = messageField(12, [textField(1, 'probabilities'), messageField(2, [messageField(4, [])])])

test('an output that is a sequence is left out where there are tensors beside it', () => {
  expect(inspectOnnx(modelOf([sequence]))).toMatchObject({ outputs: [{ name: 'y' }], omittedOutputs: ['probabilities'] })
})

test('a model that answers in sequences alone is refused, with the way out', () => {
  const model = concatBytes([messageField(7, [tensorValue(11, 'x'), sequence])])
  expect(() => inspectOnnx(model)).toThrow("convert with options={'zipmap': False}")
})

test('graphs nested deeper than the limit are refused', () => {
  let nested: Field[] = []
  for (let depth = 0; depth < 12; depth++) nested = [messageField(1, [textField(4, 'If'), messageField(5, [messageField(6, nested)])])]
  expect(() => inspectOnnx(modelOf(nested))).toThrow('nests graphs deeper than 8')
})

test('more nodes or bytes than the limits are refused', () => {
  const nodes = Array.from({ length: 4 }, () => messageField(1, [textField(4, 'Relu')]))
  expect(() => inspectOnnx(modelOf(nodes), { ...defaultOnnxLimits, maxNodes: 3 })).toThrow('more than 3 nodes')
  expect(() => inspectOnnx(modelOf(nodes), { ...defaultOnnxLimits, maxBytes: 10 })).toThrow('at most 10')
})

test('inputs that an initializer fills are not inputs of the model', () => {
  const bytes = modelOf([messageField(5, [textField(8, 'w')]), tensorValue(11, 'w')])
  expect(inspectOnnx(bytes).inputs.map(({ name }) => name)).toEqual(['x'])
})
