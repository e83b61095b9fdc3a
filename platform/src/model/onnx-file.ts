import { AppError } from '../errors.ts'
import { defaultOnnxLimits, type OnnxLimits, refuseOnnx } from './onnx-limits.ts'
import { type Body, checkOperator, emptyBody, expandedNodes, functionKey, isBuiltIn } from './onnx-operators.ts'
import { checkSparseTensor, checkTensor, type SideFileSizes, type TensorBudget } from './onnx-tensors.ts'
import { type OnnxValueInfo, readValueInfo } from './onnx-values.ts'
import { readFields, readPair, readText, visitMessages } from './protobuf-reader.ts'

export interface OnnxSummary {
  readonly opsets: readonly { domain: string; version: number }[]
  /** Without those that initializers fill. */
  readonly inputs: readonly OnnxValueInfo[]
  readonly outputs: readonly OnnxValueInfo[]
  /** Outputs that are no tensors (a ZipMap's sequence of maps) and are left out. */
  readonly omittedOutputs: readonly string[]
  /** Nodes of the graph and of all graphs inside it, functions written out. */
  readonly nodeCount: number
  readonly operators: readonly string[]
  /** What the exporter noted about the model (`metadata_props`). */
  readonly metadata: Readonly<Record<string, string>>
  /** Names of the files beside it that hold weights. */
  readonly sideFiles: readonly string[]
}

/** What the walk has met so far. */
interface Walk {
  readonly limits: OnnxLimits
  readonly budget: TensorBudget
  nodeCount: number
  readonly operators: Set<string>
  readonly opsets: { domain: string; version: number }[]
  readonly functions: Map<string, Body>
  readonly metadata: Map<string, string>
  readonly main: Body
}

interface Graph {
  readonly inputs: Uint8Array[]
  readonly outputs: Uint8Array[]
  readonly initializers: Set<string>
}

/** Where nodes are counted, and how deep the graph lies. */
interface Place {
  readonly body: Body
  readonly depth: number
}

const tooManyNodes = ({ maxNodes }: OnnxLimits): AppError => refuseOnnx(`The ONNX file has more than ${maxNodes} nodes; simplify the model or raise the limit`)

function walkAttribute(walk: Walk, attribute: Uint8Array, { body, depth }: Place): void {
  const tensor = (bytes: Uint8Array) => void checkTensor(bytes, walk.budget, 'inner')
  const sparse = (bytes: Uint8Array) => void checkSparseTensor(bytes, walk.budget)
  const inner = (graph: Uint8Array) => void walkGraph(walk, graph, { body, depth: depth + 1 })
  visitMessages(attribute, { 5: tensor, 6: inner, 10: tensor, 11: inner, 22: sparse, 23: sparse })
}

/** Of a field that is given twice, the last counts, as protobuf has it. */
function walkNode(walk: Walk, node: Uint8Array, place: Place): void {
  walk.nodeCount++
  if (walk.nodeCount > walk.limits.maxNodes) throw tooManyNodes(walk.limits)
  const texts = new Map<number, string>()
  const keep = (field: number) => (bytes: Uint8Array) => void texts.set(field, readText(bytes))
  visitMessages(node, { 4: keep(4), 5: (attribute) => walkAttribute(walk, attribute, place), 7: keep(7), 8: keep(8) })
  const [type, domain, overload] = [texts.get(4) ?? '', texts.get(7) ?? '', texts.get(8) ?? '']
  if (isBuiltIn(domain)) {
    checkOperator(type)
    walk.operators.add(type)
    place.body.nodes++
  } else {
    const key = functionKey(domain, type, overload)
    place.body.calls.set(key, (place.body.calls.get(key) ?? 0) + 1)
  }
}

function walkGraph(walk: Walk, bytes: Uint8Array, place: Place): Graph {
  if (place.depth > walk.limits.maxDepth) throw refuseOnnx(`The ONNX file nests graphs deeper than ${walk.limits.maxDepth}; simplify the model`)
  const graph: Graph = { inputs: [], outputs: [], initializers: new Set() }
  const kind = place.depth === 0 ? 'initializer' : 'inner'
  visitMessages(bytes, {
    1: (node) => walkNode(walk, node, place),
    5: (tensor) => graph.initializers.add(checkTensor(tensor, walk.budget, kind)),
    11: (input) => graph.inputs.push(input),
    12: (output) => graph.outputs.push(output),
    15: (sparse) => graph.initializers.add(checkSparseTensor(sparse, walk.budget)),
  })
  return graph
}

/** Fields of FunctionProto: 1 name, 7 nodes, 10 domain, 13 overload. */
function walkFunction(walk: Walk, bytes: Uint8Array): void {
  const texts = new Map<number, string>()
  const keep = (field: number) => (text: Uint8Array) => void texts.set(field, readText(text))
  const body = emptyBody()
  visitMessages(bytes, { 1: keep(1), 7: (node) => walkNode(walk, node, { body, depth: 1 }), 10: keep(10), 13: keep(13) })
  const [name, domain, overload] = [texts.get(1) ?? '', texts.get(10) ?? '', texts.get(13) ?? '']
  const key = functionKey(domain, name, overload)
  if (isBuiltIn(domain) || walk.functions.has(key))
    throw refuseOnnx(`The ONNX file defines the function ${name} of the domain '${domain}' over another one: export the model without functions`)
  walk.functions.set(key, body)
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

/** Fields of ModelProto: 7 the graph, 8 the opsets, 14 notes, 20 training information (graphs that change weights), 25 functions. */
function walkModel(walk: Walk, bytes: Uint8Array): Graph {
  const graph: Graph = { inputs: [], outputs: [], initializers: new Set() }
  visitMessages(bytes, {
    7: (body) => {
      const part = walkGraph(walk, body, { body: walk.main, depth: 0 })
      graph.inputs.push(...part.inputs)
      graph.outputs.push(...part.outputs)
      for (const name of part.initializers) graph.initializers.add(name)
    },
    8: (opset) => readOpset(walk, opset),
    14: (note) => {
      const { key, value } = readPair(note)
      walk.metadata.set(key, value)
    },
    20: () => {
      throw refuseOnnx('The ONNX file holds training information, which is not served: export the model for inference')
    },
    25: (body) => walkFunction(walk, body),
  })
  return graph
}

function summarize(walk: Walk, graph: Graph): OnnxSummary {
  const nodeCount = expandedNodes(walk.main, walk.functions, walk.limits.maxNodes)
  if (nodeCount > walk.limits.maxNodes) throw tooManyNodes(walk.limits)
  const inputs = graph.inputs.map((input) => readValueInfo(input, walk.limits)).filter(({ name }) => !graph.initializers.has(name))
  const notTensor = inputs.find(({ tensor }) => !tensor)
  if (notTensor) throw refuseOnnx(`The input '${notTensor.name}' of the ONNX file is not a tensor; only tensors are served`)
  const outputs = graph.outputs.map((output) => readValueInfo(output, walk.limits))
  const tensors = outputs.flatMap(({ tensor }) => tensor ?? [])
  if (outputs.length > 0 && tensors.length === 0)
    throw refuseOnnx(
      `No output of the ONNX file is a tensor ('${outputs[0]?.name}' is a sequence or map); only tensors are served: for scikit-learn models convert with options={'zipmap': False}`,
    )
  if (inputs.length === 0 || tensors.length === 0) throw refuseOnnx('The file holds no ONNX graph with inputs and outputs; expected an ONNX model')
  return {
    opsets: walk.opsets,
    inputs: inputs.flatMap(({ tensor }) => tensor ?? []),
    outputs: tensors,
    omittedOutputs: outputs.filter(({ tensor }) => !tensor).map(({ name }) => name),
    nodeCount,
    operators: [...walk.operators].sort((a, b) => (a < b ? -1 : 1)),
    metadata: Object.fromEntries(walk.metadata),
    sideFiles: [...walk.budget.used].sort((a, b) => (a < b ? -1 : 1)),
  }
}

/**
 * Reads what an ONNX file is without running or trusting it: a bounded walk over its protobuf (`onnx.proto3`), linear in its size.
 * Only operators that the runtime has built in, weights inside the file or in `sideFiles`, and tensors at both ends pass.
 * @throws AppError INVALID_PARAMETER_VALUE with what was found and what to do; PAYLOAD_TOO_LARGE above `maxBytes`
 */
export function inspectOnnx(bytes: Uint8Array, limits: OnnxLimits = defaultOnnxLimits, sideFiles: SideFileSizes = new Map()): OnnxSummary {
  if (bytes.length > limits.maxBytes) throw new AppError('PAYLOAD_TOO_LARGE', `The ONNX file has ${bytes.length} bytes; at most ${limits.maxBytes} are served`)
  const budget: TensorBudget = { limits, sideFiles, used: new Set(), totalBytes: 0 }
  const walk: Walk = {
    ...{ limits, budget, nodeCount: 0, operators: new Set<string>(), opsets: [] },
    ...{ functions: new Map(), metadata: new Map(), main: emptyBody() },
  }
  return summarize(walk, walkModel(walk, bytes))
}
