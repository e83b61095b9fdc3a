import { bytesField, concatBytes, type Field, floatField, intField, messageField, textField } from './protobuf-writer.ts'

/** ONNX element types (TensorProto.DataType). */
const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const
export type OnnxElementType = keyof typeof elementTypes

/** A graph's input or output; a name as a dimension leaves it open (the batch, as a rule). */
export interface OnnxValue {
  readonly name: string
  readonly type?: OnnxElementType
  readonly shape: readonly (number | string)[]
}

export interface OnnxInitializer {
  readonly name: string
  readonly dims: readonly number[]
  readonly data: Float32Array | Int32Array | BigInt64Array
}

export type OnnxAttribute = { int: number } | { ints: readonly number[] } | { float: number } | { text: string } | { graph: OnnxGraph }

export interface OnnxNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
}

export interface OnnxGraph {
  readonly name: string
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly initializers: readonly OnnxInitializer[]
  /** In an order in which every input is there before it is read. */
  readonly nodes: readonly OnnxNode[]
}

const IR_VERSION = 8
const OPSET = 17

function attribute(name: string, value: OnnxAttribute): Field {
  const named = textField(1, name)
  if ('int' in value) return messageField(5, [named, intField(3, value.int), intField(20, 2)])
  if ('ints' in value) return messageField(5, [named, ...value.ints.map((int) => intField(8, int)), intField(20, 7)])
  if ('graph' in value) return messageField(5, [named, messageField(6, graphFields(value.graph)), intField(20, 5)])
  if ('float' in value) return messageField(5, [named, floatField(2, value.float), intField(20, 1)])
  return messageField(5, [named, textField(4, value.text), intField(20, 3)])
}

function node({ op, inputs, outputs, attributes = {} }: OnnxNode, index: number): Field {
  return messageField(1, [
    ...inputs.map((name) => textField(1, name)),
    ...outputs.map((name) => textField(2, name)),
    textField(3, `${op}_${index}`),
    textField(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  ])
}

function elementTypeOf(data: OnnxInitializer['data']): number {
  if (data instanceof Float32Array) return elementTypes.float32
  return data instanceof Int32Array ? elementTypes.int32 : elementTypes.int64
}

function initializer({ name, dims, data }: OnnxInitializer): Field {
  const size = dims.reduce((product, dim) => product * dim, 1)
  if (size !== data.length) throw new RangeError(`Initializer '${name}' has ${data.length} values, its shape [${dims.join(', ')}] asks for ${size}`)
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return messageField(5, [...dims.map((dim) => intField(1, dim)), intField(2, elementTypeOf(data)), textField(8, name), bytesField(9, raw)])
}

function value(field: number, { name, type = 'float32', shape }: OnnxValue): Field {
  const dims = shape.map((dim) => messageField(1, [typeof dim === 'number' ? intField(1, dim) : textField(2, dim)]))
  return messageField(field, [textField(1, name), messageField(2, [messageField(1, [intField(1, elementTypes[type]), messageField(2, dims)])])])
}

const graphFields = (graph: OnnxGraph): Field[] => [
  ...graph.nodes.map(node),
  textField(2, graph.name),
  ...graph.initializers.map(initializer),
  ...graph.inputs.map((input) => value(11, input)),
  ...graph.outputs.map((output) => value(12, output)),
]

/**
 * Writes an ONNX model (IR 8, opset 17 of the default domain) with its weights inside. The bytes depend on the graph alone, so the same weights give the same digest.
 * Field numbers are those of `onnx.proto3`.
 * @throws RangeError when an initializer's data do not fill its shape
 */
export function writeOnnx(graph: OnnxGraph): Uint8Array {
  return concatBytes([
    intField(1, IR_VERSION),
    textField(2, 'millrace'),
    messageField(7, graphFields(graph)),
    messageField(8, [textField(1, ''), intField(2, OPSET)]),
  ])
}
