import type { TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { claimedDatatype, findMisfit } from './parse-tensor.ts'
import { allocate, elementCount, isRefusal, type Refusal, refuse, showShape, showSpec, type Tensor, type TensorValues } from './tensor.ts'

/** A tensor whose elements came as bytes: little-endian and row-major, BYTES with a uint32 length before each element. */
export interface BinaryTensor {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads one binary input against what the model declares: the datatype must match exactly, and every byte must be accounted for. */
export function parseBinaryTensor(spec: TensorSpec, raw: BinaryTensor): Tensor | Refusal {
  const named = `Input ${showSpec(spec)}`
  const claimed = claimedDatatype(raw.datatype, named)
  if (typeof claimed !== 'string') return claimed
  if (claimed !== spec.datatype) return refuse(`${named}: the binary data is ${claimed}; binary data must be ${spec.datatype} exactly`)
  const misfit = findMisfit(spec, raw.shape, named)
  if (misfit) return misfit
  const count = elementCount(raw.shape)
  const data = claimed === 'BYTES' ? readElements(raw.bytes, count, named) : readNumbers(claimed, raw, count, named)
  return isRefusal(data) ? data : { name: spec.name, datatype: spec.datatype, shape: raw.shape, data }
}

type NumberType = Parameters<typeof allocate>[0]

/** Copies: the bytes lie at any offset of a request's body, a view of wider elements must be aligned. */
function readNumbers(datatype: NumberType, { bytes, shape }: BinaryTensor, count: number, named: string): TensorValues | Refusal {
  const width = allocate(datatype, 0).BYTES_PER_ELEMENT
  if (bytes.length !== count * width) {
    return refuse(`${named}: ${bytes.length} bytes of binary data came; the shape ${showShape(shape)} asks for ${count * width}`)
  }
  if (datatype === 'BOOL' && bytes.some((byte) => byte > 1)) return refuse(`${named}: a byte of the binary data is neither 0 nor 1`)
  const data = allocate(datatype, count)
  new Uint8Array(data.buffer).set(bytes)
  return data
}

function readElements(bytes: Uint8Array, count: number, named: string): TensorValues | Refusal {
  if (count > bytes.length / 4) return refuse(`${named}: the binary data is too short for ${count} elements with a length of 4 bytes before each`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const texts: string[] = []
  let at = 0
  for (let index = 0; index < count; index++) {
    const end = at + 4 <= bytes.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (end > bytes.length) return refuse(`${named}: element ${index} of the binary data goes beyond its end`)
    const text = decodeText(bytes.subarray(at + 4, end))
    if (text === null) return refuse(`${named}: element ${index} is not UTF-8 text`)
    texts.push(text)
    at = end
  }
  return at === bytes.length ? texts : refuse(`${named}: ${bytes.length - at} bytes of the binary data are left over after ${count} elements`)
}

/** The text of UTF-8 bytes; null when they are none. */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}

/**
 * A body without any JSON as the one tensor of a model: one input, batch 1, at most one other open dimension, which its size tells. A BYTES body is one element.
 */
export function wholeBodyTensor(inputs: readonly TensorSpec[], bytes: Uint8Array): BinaryTensor | Refusal {
  const [spec] = inputs
  if (!spec || inputs.length > 1) return refuse(`A body without JSON is for models with one input; this one has ${inputs.length}: name them in JSON`)
  const sizes = spec.shape.map((size, axis) => (axis === 0 && size === -1 ? 1 : size))
  const open = sizes.filter((size) => size === -1).length
  if (open > 1) return refuse(`Input ${showSpec(spec)}: more than one dimension is open: give the shape in JSON`)
  if (spec.datatype === 'BYTES') return { name: spec.name, datatype: 'BYTES', shape: sizes.map((size) => (size === -1 ? 1 : size)), bytes: withLength(bytes) }
  const width = allocate(spec.datatype, 0).BYTES_PER_ELEMENT
  const fixed = elementCount(sizes.filter((size) => size !== -1))
  const size = bytes.length / width / fixed
  if (open === 1 && !Number.isInteger(size)) return refuse(`Input ${showSpec(spec)}: ${bytes.length} bytes are no whole number of rows`)
  return { name: spec.name, datatype: spec.datatype, shape: sizes.map((known) => (known === -1 ? size : known)), bytes }
}

function withLength(bytes: Uint8Array): Uint8Array {
  const element = new Uint8Array(4 + bytes.length)
  new DataView(element.buffer).setUint32(0, bytes.length, true)
  element.set(bytes, 4)
  return element
}
