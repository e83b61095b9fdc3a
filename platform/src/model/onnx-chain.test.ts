import { expect, test } from 'vitest'
import { openChain } from './onnx-chain.ts'
import { type OnnxGraph, writeOnnx } from './onnx-writer.ts'

const scale = (factor: number, input: string, output: string): OnnxGraph => ({
  name: 'scale',
  inputs: [{ name: input, shape: ['batch', 2] }],
  outputs: [{ name: output, shape: ['batch', 2] }],
  initializers: [{ name: 'factor', dims: [1], data: Float32Array.of(factor) }],
  nodes: [{ op: 'Mul', inputs: [input, 'factor'], outputs: [output] }],
})

const file = (name: string, graph: OnnxGraph) => ({ name, bytes: writeOnnx(graph) })

const chain = () => openChain([file('a.onnx', scale(2, 'x', 'y')), file('b.onnx', scale(10, 'in', 'out'))])

test('outputs of one file feed the next by position, whatever they are called', async () => {
  const model = await chain()
  const outputs = await model.run([{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, -3) }])
  expect(outputs).toEqual([{ name: 'out', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(20, -60) }])
  await model.release()
})

test('the signature is that of the first inputs and the last outputs', async () => {
  const model = await chain()
  expect(model.signature).toEqual({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }], outputs: [{ name: 'out', datatype: 'FP32', shape: [-1, 2] }] })
  await model.release()
})

test.each([
  ['a missing input', [], "'x' FP32 [-1, 2] is missing"],
  ['an unknown input', [{ name: 'z', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) }], "no input 'z'"],
  ['another element type', [{ name: 'x', datatype: 'INT64', shape: [1, 2], data: BigInt64Array.of(1n, 2n) }], 'must be FP32'],
  ['another shape', [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: Float32Array.of(1, 2, 3) }], 'the shapes differ'],
  ['another rank', [{ name: 'x', datatype: 'FP32', shape: [2], data: Float32Array.of(1, 2) }], 'the shapes differ'],
  ['too few values', [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1) }], 'has 1 values'],
] as const)('%s is refused', async (_name, inputs, message) => {
  const model = await chain()
  await expect(model.run(inputs)).rejects.toThrow(message)
  await model.release()
})

test('files that do not fit each other are refused when they are opened', async () => {
  const ints: OnnxGraph = {
    name: 'ints',
    inputs: [{ name: 'i', type: 'int64', shape: ['n'] }],
    outputs: [{ name: 'o', type: 'int64', shape: ['n'] }],
    initializers: [],
    nodes: [{ op: 'Identity', inputs: ['i'], outputs: ['o'] }],
  }
  await expect(openChain([file('a.onnx', scale(1, 'x', 'y')), file('b.onnx', ints)])).rejects.toThrow('does not fit input')
})

test('bytes that are no model are refused', async () => {
  await expect(openChain([{ name: 'a.onnx', bytes: Uint8Array.of(1, 2, 3) }])).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
  await expect(openChain([])).rejects.toThrow('at least one')
})
