import { writeOnnx } from '@millrace/platform/model/onnx-writer.ts'
import { scaleModel } from './test-model.ts'

/** y = x, after a product of square matrices as large as the largest value that comes in: small inputs are quick, large ones slow, huge ones take all memory. */
export function hungryModel(): Record<string, Uint8Array> {
  const steps = Array.from({ length: 4 }, (_, index) => ({ op: 'MatMul', inputs: [index === 0 ? 'big' : `m${index - 1}`, 'big'], outputs: [`m${index}`] }))
  const graph = writeOnnx({
    name: 'hungry',
    inputs: [{ name: 'x', shape: ['n', 2] }],
    outputs: [
      { name: 'y', shape: ['n', 2] },
      { name: 'product', shape: ['n', 2] },
    ],
    initializers: [
      { name: 'nothing', dims: [1], data: Float32Array.of(0) },
      { name: 'one', dims: [1], data: BigInt64Array.of(1n) },
    ],
    nodes: [
      { op: 'ReduceMax', inputs: ['x'], outputs: ['largest'], attributes: { keepdims: { int: 0 } } },
      { op: 'Cast', inputs: ['largest'], outputs: ['whole'], attributes: { to: { int: 7 } } },
      { op: 'Reshape', inputs: ['whole', 'one'], outputs: ['side'] },
      { op: 'Concat', inputs: ['side', 'side'], outputs: ['shape'], attributes: { axis: { int: 0 } } },
      { op: 'Expand', inputs: ['nothing', 'shape'], outputs: ['big'] },
      ...steps,
      { op: 'ReduceMax', inputs: ['m3'], outputs: ['max'], attributes: { keepdims: { int: 0 } } },
      { op: 'Add', inputs: ['x', 'max'], outputs: ['y'] },
      { op: 'Identity', inputs: ['y'], outputs: ['product'] },
    ],
  })
  return { ...scaleModel(1), 'model.onnx': graph }
}

/** A loop whose condition is always true. */
export function endlessModel(): Record<string, Uint8Array> {
  const body = {
    name: 'body',
    inputs: [
      { name: 'step', type: 'int64' as const, shape: [] },
      { name: 'goes_on', type: 'bool' as const, shape: [] },
      { name: 'before', shape: ['n', 2] },
    ],
    outputs: [
      { name: 'still', type: 'bool' as const, shape: [] },
      { name: 'after', shape: ['n', 2] },
    ],
    initializers: [],
    nodes: [
      { op: 'Identity', inputs: ['goes_on'], outputs: ['still'] },
      { op: 'Neg', inputs: ['before'], outputs: ['after'] },
    ],
  }
  const graph = writeOnnx({
    name: 'endless',
    inputs: [{ name: 'x', shape: ['n', 2] }],
    outputs: [
      { name: 'y', shape: ['n', 2] },
      { name: 'product', shape: ['n', 2] },
    ],
    initializers: [{ name: 'zero', dims: [1], data: BigInt64Array.of(0n) }],
    nodes: [
      { op: 'Cast', inputs: ['zero'], outputs: ['none'], attributes: { to: { int: 9 } } },
      { op: 'Not', inputs: ['none'], outputs: ['always'] },
      { op: 'Loop', inputs: ['', 'always', 'x'], outputs: ['y'], attributes: { body: { graph: body } } },
      { op: 'Identity', inputs: ['y'], outputs: ['product'] },
    ],
  })
  return { ...scaleModel(1), 'model.onnx': graph }
}

/** y = x, once it has filled `side`² numbers: more than any probe is given. */
export function greedyModel(side = 200_000): Record<string, Uint8Array> {
  const graph = writeOnnx({
    name: 'greedy',
    inputs: [{ name: 'x', shape: ['n', 2] }],
    outputs: [
      { name: 'y', shape: ['n', 2] },
      { name: 'product', shape: ['n', 2] },
    ],
    initializers: [{ name: 'shape', dims: [2], data: BigInt64Array.of(BigInt(side), BigInt(side)) }],
    nodes: [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes: { keepdims: { int: 0 } } },
      { op: 'Expand', inputs: ['mean', 'shape'], outputs: ['big'] },
      { op: 'ReduceMax', inputs: ['big'], outputs: ['max'], attributes: { keepdims: { int: 0 } } },
      { op: 'Add', inputs: ['x', 'max'], outputs: ['y'] },
      { op: 'Identity', inputs: ['y'], outputs: ['product'] },
    ],
  })
  return { ...scaleModel(1), 'model.onnx': graph }
}
