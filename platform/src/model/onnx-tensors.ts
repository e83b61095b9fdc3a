import { elementTypeOf } from './onnx-element-types.ts'
import { type OnnxLimits, refuseOnnx } from './onnx-limits.ts'
import { type ProtobufField, readFields, readPackedVarints, readPair, readText } from './protobuf-reader.ts'
import { RAW_LENGTH_FIELD } from './skim-onnx.ts'

/** The files beside a model in which its weights may lie: sizes in bytes by plain file name. */
export type SideFileSizes = ReadonlyMap<string, number>

/** What the tensors of one model have been found to take so far. */
export interface TensorBudget {
  readonly limits: OnnxLimits
  readonly sideFiles: SideFileSizes
  /** Names of those that the model uses. */
  readonly used: Set<string>
  /** Bytes in side files and of sparse tensors once they are laid out. */
  totalBytes: number
}

/** A field of TensorProto that matters here. */
interface Tensor {
  name: string
  elementType: number
  readonly dims: number[]
  rawBytes: number | null
  external: boolean
  readonly entries: Map<string, string>
}

const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const KNOWN_KEYS = new Set(['location', 'offset', 'length', 'checksum'])
const CURE = 'save the model as one file, or log it with mlflow.onnx.log_model, which keeps the side files beside it'

const toSize = (value: bigint): number => Number(BigInt.asIntN(64, value))

function readEntry(entries: Map<string, string>, bytes: Uint8Array): void {
  const { key, value } = readPair(bytes)
  if (entries.has(key)) throw refuseOnnx(`The ONNX file says '${key}' of a tensor's external data twice: ${CURE}`)
  entries.set(key, value)
}

function readDims(read: ProtobufField, dims: number[]): void {
  for (const value of 'number' in read ? [read.number] : readPackedVarints(read.bytes)) dims.push(toSize(value))
}

/** Reads a TensorProto without its values. Both ways of repeating a number are understood, as protobuf's own readers do. */
function readTensor(bytes: Uint8Array): Tensor {
  const tensor: Tensor = { name: '', elementType: 0, dims: [], rawBytes: null, external: false, entries: new Map() }
  for (const read of readFields(bytes)) {
    if (read.field === 1) readDims(read, tensor.dims)
    if ('number' in read) {
      if (read.field === 2) tensor.elementType = Number(read.number)
      if (read.field === 14 && read.number !== 0n) tensor.external = true
      if (read.field === RAW_LENGTH_FIELD) tensor.rawBytes = Number(read.number)
    } else {
      if (read.field === 8) tensor.name = readText(read.bytes)
      if (read.field === 9) tensor.rawBytes = read.bytes.length
      if (read.field === 13) readEntry(tensor.entries, read.bytes)
    }
  }
  return tensor
}

/** Bytes of a dense tensor of these dimensions. */
function sizeOf({ name, dims, elementType }: Pick<Tensor, 'name' | 'dims' | 'elementType'>, { maxBytes }: OnnxLimits): number {
  const elements = dims.reduce((product, size) => (size >= 0 ? product * size : Number.NaN), 1)
  const bytes = Math.ceil((elements * (elementTypeOf(elementType)?.bits ?? 8)) / 8)
  if (elements <= maxBytes && bytes <= maxBytes) return bytes
  throw refuseOnnx(`The tensor '${name}' of the ONNX file has the dimensions [${dims.join(', ')}]; at most ${maxBytes} bytes are served`)
}

function countBytes(budget: TensorBudget, bytes: number): void {
  budget.totalBytes += bytes
  if (budget.totalBytes <= budget.limits.maxBytes) return
  throw refuseOnnx(`The tensors of the ONNX file take more than ${budget.limits.maxBytes} bytes; quantize the model or raise the limit`)
}

function readCount(entries: ReadonlyMap<string, string>, key: string): number | null {
  const text = entries.get(key)
  if (text === undefined) return null
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(count)) return count
  throw refuseOnnx(`The ${key} of a tensor's external data in the ONNX file is not a number of bytes: ${CURE}`)
}

/** A path in a model could name any file of the machine that loads it: only plain names of files beside the model pass, and ranges inside them. */
function checkExternal(tensor: Tensor, sizeBytes: number, budget: TensorBudget): void {
  const { entries, name } = tensor
  const location = entries.get('location') ?? ''
  const inside = PLAIN_NAME.test(location) ? budget.sideFiles.get(location) : undefined
  if (inside === undefined)
    throw refuseOnnx(
      `The ONNX file keeps the weights '${name}' in another file (external data) that is not a plain file name among the model's own files: ${CURE}`,
    )
  const unknown = [...entries.keys()].find((key) => !KNOWN_KEYS.has(key))
  if (unknown !== undefined) throw refuseOnnx(`The ONNX file describes external data with '${unknown}', which is not known: ${CURE}`)
  const offset = readCount(entries, 'offset') ?? 0
  const length = readCount(entries, 'length') ?? inside - offset
  if (length < 0 || offset + length > inside)
    throw refuseOnnx(`The weights '${name}' end at byte ${offset + length} of '${location}' (external data), which has ${inside}: export the model again`)
  if (length !== sizeBytes)
    throw refuseOnnx(`The weights '${name}' have ${length} bytes of external data, their dimensions ask for ${sizeBytes}: export the model again`)
  countBytes(budget, length)
  budget.used.add(location)
}

/**
 * Checks one tensor: dimensions, raw bytes that fill them, and where the bytes lie. Only the main graph's initializers may lie in side files.
 * @returns its name
 * @throws AppError INVALID_PARAMETER_VALUE
 */
export function checkTensor(bytes: Uint8Array, budget: TensorBudget, place: 'initializer' | 'inner'): string {
  const tensor = readTensor(bytes)
  const sizeBytes = sizeOf(tensor, budget.limits)
  if (tensor.external || tensor.entries.size > 0) {
    if (place === 'inner')
      throw refuseOnnx(`The ONNX file keeps the tensor '${tensor.name}' of a node or inner graph in another file (external data), which is not served: ${CURE}`)
    checkExternal(tensor, sizeBytes, budget)
  } else if (tensor.rawBytes !== null && elementTypeOf(tensor.elementType) && tensor.rawBytes !== sizeBytes)
    throw refuseOnnx(`The tensor '${tensor.name}' of the ONNX file has ${tensor.rawBytes} bytes, its dimensions ask for ${sizeBytes}: export the model again`)
  return tensor.name
}

/** Checks a SparseTensorProto, whose dense form is what the runtime makes of it. @returns its name */
export function checkSparseTensor(bytes: Uint8Array, budget: TensorBudget): string {
  let name = ''
  let elementType = 1
  const dims: number[] = []
  for (const read of readFields(bytes)) {
    if (read.field === 3) readDims(read, dims)
    else if ('bytes' in read && read.field <= 2) {
      const checked = checkTensor(read.bytes, budget, 'inner')
      if (read.field === 1) [name, elementType] = [checked, readTensor(read.bytes).elementType]
    }
  }
  countBytes(budget, sizeOf({ name, dims, elementType }, budget.limits))
  return name
}
