import { MODEL_SPEC_FILE } from '@millrace/contracts/model/model-spec.ts'
import { type OnnxGraph, writeOnnx } from '@millrace/platform/model/onnx-writer.ts'

/** The files of a model by name. */
export type ModelFiles = Readonly<Record<string, Uint8Array>>

const shape: OnnxGraph['inputs'] = [{ name: 'x', shape: ['n', 2] }]
const outputs: OnnxGraph['outputs'] = [{ name: 'y', shape: ['n', 2] }]
const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

function filesOf(graph: Omit<OnnxGraph, 'inputs' | 'outputs'>): ModelFiles {
  const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 2] })
  const spec = {
    ...{ schemaVersion: 1, task: 'tensor', format: 'onnx', chain: [{ file: 'model.onnx' }], signature: { inputs: [tensor('x')], outputs: [tensor('y')] } },
    ...{ labels: null, preprocessing: null, inputExample: 'example.json', parity: null, referenceProfile: null },
  }
  const example = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] }
  return { 'model.onnx': writeOnnx({ ...graph, inputs: shape, outputs }), 'example.json': text(example), [MODEL_SPEC_FILE]: text(spec) }
}

/** y = factor * x + 1: each factor makes a version that can be told from all others by its answers. */
export const scaleModel = (factor: number): ModelFiles =>
  filesOf({
    name: 'scale',
    initializers: [
      { name: 'factor', dims: [1], data: Float32Array.of(factor) },
      { name: 'one', dims: [1], data: Float32Array.of(1) },
    ],
    nodes: [
      { op: 'Mul', inputs: ['x', 'factor'], outputs: ['product'] },
      { op: 'Add', inputs: ['product', 'one'], outputs: ['y'] },
    ],
  })

export const scaleAnswer =
  (factor: number) =>
  (input: readonly number[]): readonly number[] =>
    input.map((x) => factor * x + 1)

const toInt32 = { to: { int: 6 } }
const toFloat = { to: { int: 1 } }

/** Divides the smallest 32-bit integer by -1, once the runtime cannot foresee it: the processor traps (SIGFPE), and the process is gone. */
export const crashingModel = (): ModelFiles =>
  filesOf({
    name: 'crashing',
    initializers: [
      { name: 'smallest', dims: [1], data: Int32Array.of(-2_147_483_648) },
      { name: 'minus', dims: [1], data: Int32Array.of(-1) },
    ],
    nodes: [
      { op: 'Cast', inputs: ['x'], outputs: ['whole'], attributes: toInt32 },
      { op: 'Sub', inputs: ['whole', 'whole'], outputs: ['zero'] },
      { op: 'Add', inputs: ['zero', 'smallest'], outputs: ['dividend'] },
      { op: 'Add', inputs: ['zero', 'minus'], outputs: ['divisor'] },
      { op: 'Div', inputs: ['dividend', 'divisor'], outputs: ['quotient'] },
      { op: 'Cast', inputs: ['quotient'], outputs: ['y'], attributes: toFloat },
    ],
  })

/** y = factor * x + 1 after `steps` products of large matrices: a request takes `steps` times some ten milliseconds. */
export function slowModel(factor: number, steps: number): ModelFiles {
  const side = 1024
  const products = Array.from({ length: steps }, (_, index) => ({
    op: 'MatMul',
    inputs: [index === 0 ? 'big' : `m${index - 1}`, 'small'],
    outputs: [`m${index}`],
  }))
  return filesOf({
    name: 'slow',
    initializers: [
      { name: 'side', dims: [2], data: BigInt64Array.of(BigInt(side), BigInt(side)) },
      { name: 'factor', dims: [1], data: Float32Array.of(factor) },
      { name: 'one', dims: [1], data: Float32Array.of(1) },
      { name: 'nothing', dims: [1], data: Float32Array.of(0) },
    ],
    nodes: [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { keepdims: { int: 0 } } },
      { op: 'Mul', inputs: ['mean', 'nothing'], outputs: ['flat'] },
      { op: 'Expand', inputs: ['flat', 'side'], outputs: ['big'] },
      { op: 'Identity', inputs: ['big'], outputs: ['small'] },
      ...products,
      { op: 'ReduceMax', inputs: [`m${steps - 1}`], outputs: ['max'], attributes: { keepdims: { int: 0 } } },
      { op: 'Mul', inputs: ['x', 'factor'], outputs: ['product'] },
      { op: 'Add', inputs: ['product', 'one'], outputs: ['sum'] },
      { op: 'Add', inputs: ['sum', 'max'], outputs: ['y'] },
    ],
  })
}
