import type { Datatype } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '../errors.ts'
import { type ProtobufField, readFields, readText } from './protobuf-reader.ts'

/** A graph's input or output: -1 is an open dimension, a null shape says nothing about the rank. */
export interface OnnxValueInfo {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[] | null
}

export interface OnnxSummary {
  readonly opsets: readonly { domain: string; version: number }[]
  /** Without those that initializers fill. */
  readonly inputs: readonly OnnxValueInfo[]
  readonly outputs: readonly OnnxValueInfo[]
  /** Nodes of the graph and of all graphs inside it. */
  readonly nodeCount: number
  readonly operators: readonly string[]
}

export interface OnnxLimits {
  readonly maxBytes: number
  readonly maxNodes: number
  /** Graphs within graphs (the branches of If, the bodies of Loop). */
  readonly maxDepth: number
}

export const defaultOnnxLimits: OnnxLimits = { maxBytes: 1_073_741_824, maxNodes: 100_000, maxDepth: 8 }

const allowedDomains = new Set(['', 'ai.onnx', 'ai.onnx.ml'])

/** TensorProto.DataType by number. */
const datatypeByNumber: Readonly<Record<number, Datatype>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
}

const refuse = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', message)

/** What the walk has met so far. */
interface Walk {
  readonly limits: OnnxLimits
  nodeCount: number
  readonly operators: Set<string>
  readonly opsets: { domain: string; version: number }[]
}

interface Graph {
  readonly inputs: Uint8Array[]
  readonly outputs: Uint8Array[]
  readonly initializers: Set<string>
}

const bytesOf = (read: ProtobufField): Uint8Array | null => ('bytes' in read ? read.bytes : null)

/** Calls the visitor of each field that has one; a field of another wire type than expected is passed over, as protobuf does. */
function visit(message: Uint8Array, visitors: Readonly<Record<number, (bytes: Uint8Array) => void>>): void {
  for (const read of readFields(message)) {
    const bytes = bytesOf(read)
    if (bytes) visitors[read.field]?.(bytes)
  }
}

function checkDomain(domain: string): void {
  if (!allowedDomains.has(domain))
    throw refuse(
      `The ONNX file uses operators of the domain '${domain}'; only ${[...allowedDomains].map((known) => `'${known}'`).join(', ')} are served: export the model with standard operators`,
    )
}

/** Weights must be in the file: a path in a model could name any file of the machine that loads it. */
function checkTensor(tensor: Uint8Array): string {
  let name = ''
  for (const read of readFields(tensor)) {
    const external = read.field === 13 || (read.field === 14 && 'number' in read && read.number !== 0n)
    if (external) throw refuse('The ONNX file keeps weights in another file (external data), which is not served: save the model as one file')
    if (read.field === 8 && 'bytes' in read) name = readText(read.bytes)
  }
  return name
}

function walkSparse(sparse: Uint8Array): string {
  const names: string[] = []
  visit(sparse, { 1: (values) => names.push(checkTensor(values)), 2: checkTensor })
  return names.at(-1) ?? ''
}

function walkAttribute(walk: Walk, attribute: Uint8Array, depth: number): void {
  const inner = (graph: Uint8Array) => void walkGraph(walk, graph, depth + 1)
  visit(attribute, { 5: checkTensor, 6: inner, 10: checkTensor, 11: inner, 22: walkSparse, 23: walkSparse })
}

function walkNode(walk: Walk, node: Uint8Array, depth: number): void {
  walk.nodeCount++
  if (walk.nodeCount > walk.limits.maxNodes) throw refuse(`The ONNX file has more than ${walk.limits.maxNodes} nodes; simplify the model or raise the limit`)
  visit(node, {
    4: (type) => walk.operators.add(readText(type)),
    5: (attribute) => walkAttribute(walk, attribute, depth),
    7: (domain) => checkDomain(readText(domain)),
  })
}

function walkGraph(walk: Walk, bytes: Uint8Array, depth: number): Graph {
  if (depth > walk.limits.maxDepth) throw refuse(`The ONNX file nests graphs deeper than ${walk.limits.maxDepth}; simplify the model`)
  const graph: Graph = { inputs: [], outputs: [], initializers: new Set() }
  visit(bytes, {
    1: (node) => walkNode(walk, node, depth),
    5: (tensor) => graph.initializers.add(checkTensor(tensor)),
    11: (input) => graph.inputs.push(input),
    12: (output) => graph.outputs.push(output),
    15: (sparse) => graph.initializers.add(walkSparse(sparse)),
  })
  return graph
}

function readOpset(walk: Walk, bytes: Uint8Array): void {
  let domain = ''
  let version = 0
  for (const read of readFields(bytes)) {
    if (read.field === 1 && 'bytes' in read) domain = readText(read.bytes)
    if (read.field === 2 && 'number' in read) version = Number(read.number)
  }
  walk.opsets.push({ domain, version })
}

function readDimension(bytes: Uint8Array): number {
  let size = -1
  for (const read of readFields(bytes)) if (read.field === 1 && 'number' in read) size = Number(BigInt.asIntN(64, read.number))
  return size >= 0 && Number.isSafeInteger(size) ? size : -1
}

function readShape(bytes: Uint8Array): number[] {
  const shape: number[] = []
  visit(bytes, { 1: (dimension) => shape.push(readDimension(dimension)) })
  return shape
}

function readTensorType(name: string, bytes: Uint8Array): OnnxValueInfo {
  let datatype: Datatype | undefined
  let shape: number[] | null = null
  for (const read of readFields(bytes)) {
    if (read.field === 1 && 'number' in read) datatype = datatypeByNumber[Number(read.number)]
    if (read.field === 2 && 'bytes' in read) shape = readShape(read.bytes)
  }
  if (!datatype)
    throw refuse(`The tensor '${name}' of the ONNX file has an element type that is not served; use one of ${Object.values(datatypeByNumber).join(', ')}`)
  return { name, datatype, shape }
}

function readValueInfo(bytes: Uint8Array): OnnxValueInfo {
  const names: string[] = []
  const types: Uint8Array[] = []
  visit(bytes, { 1: (text) => names.push(readText(text)), 2: (type) => visit(type, { 1: (tensor) => types.push(tensor) }) })
  const type = types.at(-1)
  const name = names.at(-1) ?? ''
  if (!type) throw refuse(`'${name}' of the ONNX file is not a tensor; only tensors are served (for scikit-learn models: convert with zipmap=False)`)
  return readTensorType(name, type)
}

/** Fields of ModelProto: 7 the graph, 8 the opsets, 20 training information (two graphs), 25 functions (whose field 7 holds nodes). */
function walkModel(walk: Walk, bytes: Uint8Array): Graph {
  const graph: Graph = { inputs: [], outputs: [], initializers: new Set() }
  const inner = (nested: Uint8Array) => void walkGraph(walk, nested, 1)
  visit(bytes, {
    7: (body) => {
      const part = walkGraph(walk, body, 0)
      graph.inputs.push(...part.inputs)
      graph.outputs.push(...part.outputs)
      for (const name of part.initializers) graph.initializers.add(name)
    },
    8: (opset) => readOpset(walk, opset),
    20: (training) => visit(training, { 1: inner, 2: inner }),
    25: (body) => visit(body, { 7: (node) => walkNode(walk, node, 0), 10: (domain) => checkDomain(readText(domain)) }),
  })
  return graph
}

/**
 * Reads what an ONNX file is without running or trusting it: a bounded walk over its protobuf (`onnx.proto3`), linear in its size.
 * Only operators of the standard domains, weights inside the file and tensors at both ends pass.
 * @throws AppError INVALID_PARAMETER_VALUE with what was found and what to do; PAYLOAD_TOO_LARGE above `maxBytes`
 */
export function inspectOnnx(bytes: Uint8Array, limits: OnnxLimits = defaultOnnxLimits): OnnxSummary {
  if (bytes.length > limits.maxBytes) throw new AppError('PAYLOAD_TOO_LARGE', `The ONNX file has ${bytes.length} bytes; at most ${limits.maxBytes} are served`)
  const walk: Walk = { limits, nodeCount: 0, operators: new Set(), opsets: [] }
  const graph = walkModel(walk, bytes)
  for (const { domain } of walk.opsets) checkDomain(domain)
  const inputs = graph.inputs.map(readValueInfo).filter(({ name }) => !graph.initializers.has(name))
  const outputs = graph.outputs.map(readValueInfo)
  if (inputs.length === 0 || outputs.length === 0) throw refuse('The file holds no ONNX graph with inputs and outputs; expected an ONNX model')
  return { opsets: walk.opsets, inputs, outputs, nodeCount: walk.nodeCount, operators: [...walk.operators].sort((a, b) => (a < b ? -1 : 1)) }
}
