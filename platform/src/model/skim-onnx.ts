import { AppError } from '../errors.ts'
import { type OnnxLimits, refuseOnnx } from './onnx-limits.ts'
import { bytesField, concatBytes, intField } from './protobuf-writer.ts'

/** A message of `onnx.proto3`: which of its fields are copied, and which are messages of their own. Everything else is passed over. */
interface Message {
  readonly keep: ReadonlySet<number>
  readonly inner: () => ReadonlyMap<number, Message>
}

const message = (keep: readonly number[], inner: () => readonly (readonly [number, Message])[] = () => []): Message => {
  let fields: ReadonlyMap<number, Message> | null = null
  return {
    keep: new Set(keep),
    inner: () => {
      fields ??= new Map(inner())
      return fields
    },
  }
}

/** Of raw bytes (field 9) only the length is noted, under this number, which no message of ONNX uses. */
export const RAW_LENGTH_FIELD = 100_000_000
const RAW_DATA_FIELD = 9

const tensor = message([1, 2, 8, 13, 14])
const sparse = message([3], () => [
  [1, tensor],
  [2, tensor],
])
const attribute = message([], () => [
  [5, tensor],
  [6, graph],
  [10, tensor],
  [11, graph],
  [22, sparse],
  [23, sparse],
])
const node = message([4, 7, 8], () => [[5, attribute]])
const graph: Message = message([11, 12], () => [
  [1, node],
  [5, tensor],
  [15, sparse],
])
const localFunction = message([1, 10, 13], () => [[7, node]])
const model = message([8, 14, 20], () => [
  [7, graph],
  [25, localFunction],
])

/** A message that is being read: where it ends, and what is kept of it so far. */
interface Frame {
  readonly kind: Message
  /** Its number within the message around it. */
  readonly field: number
  readonly end: number
  readonly parts: Uint8Array[]
}

/** Most that one name, note or shape may take. */
const MAX_KEPT_FIELD_BYTES = 1_048_576
/** Most that all that is kept may take: a network of the most nodes needs less. */
const MAX_KEPT_BYTES = 33_554_432
const MAX_DEPTH = 64

const malformed = (problem: string): AppError => refuseOnnx(`Not a readable ONNX file: ${problem}; export the model again`)

interface Head {
  readonly field: number
  readonly wireType: number
  /** The number itself, or how many bytes follow. */
  readonly value: number
  readonly length: number
}

/** A number of at most ten bytes, rounded beyond 2^53: none that matters here is. Null where it goes on beyond what is there. */
function readVarint(bytes: Uint8Array, start: number): { value: number; next: number } | null {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i]
    if (byte === undefined) return null
    value += (byte & 127) * 2 ** (7 * i)
    if (byte < 128) return { value, next: start + i + 1 }
  }
  throw malformed('a number is longer than ten bytes')
}

const fixedWidth = (wireType: number): number | null => (wireType === 1 ? 8 : wireType === 5 ? 4 : null)

/** Tag and number or length of the next field; null where more bytes are needed. */
function readHead(bytes: Uint8Array, at: number): Head | null {
  const tag = readVarint(bytes, at)
  if (!tag) return null
  const wireType = tag.value % 8
  const field = (tag.value - wireType) / 8
  if (field < 1 || field > 0x1fffffff) throw malformed(`field number ${field} is out of range`)
  const width = fixedWidth(wireType)
  if (width !== null) return { field, wireType, value: width, length: tag.next - at }
  if (wireType !== 0 && wireType !== 2) throw malformed(`wire type ${wireType} is not used by ONNX`)
  const value = readVarint(bytes, tag.next)
  return value && { field, wireType, value: value.value, length: value.next - at }
}

/** Reads fields as the bytes come in. */
class Skimmer {
  readonly #limits: OnnxLimits
  readonly #frames: Frame[] = [{ kind: model, field: 0, end: Number.POSITIVE_INFINITY, parts: [] }]
  #position = 0
  #skip = 0
  #kept = 0
  #rest: Uint8Array = new Uint8Array()

  constructor(limits: OnnxLimits) {
    this.#limits = limits
  }

  push(chunk: Uint8Array): void {
    let at = Math.min(this.#skip, chunk.length)
    this.#skip -= at
    this.#position += at
    if (this.#skip > 0) return
    const bytes = this.#rest.length > 0 ? concatBytes([this.#rest, chunk]) : chunk
    for (let used = this.#take(bytes, at); used > 0; used = this.#take(bytes, at)) at += used
    this.#rest = new Uint8Array(bytes.subarray(at))
    if (this.#position > this.#limits.maxBytes) throw new AppError('PAYLOAD_TOO_LARGE', `The ONNX file has more than ${this.#limits.maxBytes} bytes`)
  }

  finish(): Uint8Array {
    this.#close()
    if (this.#frames.length > 1 || this.#rest.length > 0 || this.#skip > 0) throw malformed('it ends too early')
    return concatBytes(this.#frames[0]?.parts ?? [])
  }

  get #frame(): Frame {
    const frame = this.#frames.at(-1)
    if (!frame) throw malformed('it ends twice')
    return frame
  }

  /** Reads one field; 0 where more bytes are needed. */
  #take(bytes: Uint8Array, at: number): number {
    this.#close()
    if (at >= bytes.length) return 0
    const head = readHead(bytes, at)
    if (!head) return 0
    const size = head.wireType === 0 ? 0 : head.value
    if (this.#position + head.length + size > this.#frame.end) throw malformed(`a field asks for ${size} bytes that its message does not have`)
    const inner = head.wireType === 2 ? this.#frame.kind.inner().get(head.field) : undefined
    if (inner) return this.#descend(inner, head, size)
    if (!this.#frame.kind.keep.has(head.field)) return this.#passOver(bytes, at, head, size)
    return this.#keep(bytes, at, head, size)
  }

  #descend(kind: Message, { field, length }: Head, size: number): number {
    if (this.#frames.length > MAX_DEPTH) throw refuseOnnx('The ONNX file nests graphs too deep; simplify the model')
    this.#position += length
    this.#frames.push({ kind, field, end: this.#position + size, parts: [] })
    return length
  }

  #passOver(bytes: Uint8Array, at: number, { field, wireType, length }: Head, size: number): number {
    if (this.#frame.kind === tensor && field === RAW_DATA_FIELD && wireType === 2) this.#add(intField(RAW_LENGTH_FIELD, size))
    const here = Math.min(size, bytes.length - at - length)
    this.#position += length + here
    this.#skip = size - here
    return length + here
  }

  #keep(bytes: Uint8Array, at: number, { length, field, wireType }: Head, size: number): number {
    if (size > MAX_KEPT_FIELD_BYTES) throw refuseOnnx(`The ONNX file has a name, shape or note of ${size} bytes; at most ${MAX_KEPT_FIELD_BYTES} are read`)
    if (bytes.length - at < length + size) return 0
    // Training information is only looked for.
    const whole =
      this.#frame.kind === model && field === 20 && wireType === 2
        ? bytesField(field, new Uint8Array())
        : new Uint8Array(bytes.subarray(at, at + length + size))
    this.#add(whole)
    this.#position += length + size
    return length + size
  }

  #add(part: Uint8Array): void {
    this.#kept += part.length
    if (this.#kept > MAX_KEPT_BYTES) throw refuseOnnx('The ONNX file has more names and shapes than a network of its nodes needs; simplify the model')
    this.#frame.parts.push(part)
  }

  /** Messages that are complete go into those around them. */
  #close(): void {
    while (this.#frames.length > 1 && this.#frame.end === this.#position) {
      const done = this.#frames.pop()
      if (done) this.#frame.parts.push(bytesField(done.field, concatBytes(done.parts)))
    }
  }
}

/**
 * What `inspectOnnx` needs of a network, read as it streams by: weights, attributes and comments are passed over, so that memory does not grow with the model.
 * @throws AppError INVALID_PARAMETER_VALUE where it is no protobuf, PAYLOAD_TOO_LARGE above `maxBytes`; whatever the stream throws
 */
export async function skimOnnx(chunks: AsyncIterable<Uint8Array>, limits: OnnxLimits): Promise<Uint8Array> {
  const skimmer = new Skimmer(limits)
  for await (const chunk of chunks) skimmer.push(chunk)
  return skimmer.finish()
}
