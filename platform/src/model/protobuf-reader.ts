import { AppError } from '../errors.ts'

/** One field of a message: a number for varint and fixed types, the bytes for everything else (a view, not a copy). */
export type ProtobufField = { readonly field: number; readonly number: bigint } | { readonly field: number; readonly bytes: Uint8Array }

const malformed = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', `Not a readable ONNX file: ${message}; export the model again`)

/** Reads one varint of at most ten bytes; answers the value and where the next byte is. */
function readVarint(bytes: Uint8Array, start: number): { value: bigint; next: number } {
  let value = 0n
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i]
    if (byte === undefined) throw malformed('it ends in the middle of a number')
    value |= BigInt(byte & 127) << BigInt(7 * i)
    if (byte < 128) return { value: BigInt.asUintN(64, value), next: start + i + 1 }
  }
  throw malformed('a number is longer than ten bytes')
}

function readLittleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  return value
}

function slice(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (start + length > bytes.length) throw malformed(`a field asks for ${length} bytes where ${bytes.length - start} are left`)
  return bytes.subarray(start, start + length)
}

function readPayload(bytes: Uint8Array, field: number, wireType: number, at: number): { read: ProtobufField; next: number } {
  if (wireType === 0) {
    const { value, next } = readVarint(bytes, at)
    return { read: { field, number: value }, next }
  }
  if (wireType === 1 || wireType === 5) {
    const width = wireType === 1 ? 8 : 4
    return { read: { field, number: readLittleEndian(slice(bytes, at, width)) }, next: at + width }
  }
  if (wireType !== 2) throw malformed(`wire type ${wireType} is not used by ONNX`)
  const { value, next } = readVarint(bytes, at)
  if (value > BigInt(bytes.length)) throw malformed(`a field asks for ${value} bytes where ${bytes.length - next} are left`)
  const payload = slice(bytes, next, Number(value))
  return { read: { field, bytes: payload }, next: next + payload.length }
}

/**
 * The fields of one protobuf message in order, without trusting a length in it. Nothing is copied; the work is linear in the bytes.
 * @throws AppError INVALID_PARAMETER_VALUE when the bytes end early or are no protobuf
 */
export function* readFields(bytes: Uint8Array): Generator<ProtobufField> {
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    const field = Number(tag.value >> 3n)
    if (field < 1 || field > 0x1fffffff) throw malformed(`field number ${field} is out of range`)
    const { read, next } = readPayload(bytes, field, Number(tag.value & 7n), tag.next)
    at = next
    yield read
  }
}

/** Calls the visitor of each field that has one; a field of another wire type than bytes is passed over, as protobuf does. */
export function visitMessages(message: Uint8Array, visitors: Readonly<Record<number, (bytes: Uint8Array) => void>>): void {
  for (const read of readFields(message)) if ('bytes' in read) visitors[read.field]?.(read.bytes)
}

/** Repeated numbers that were written as one field. @throws AppError INVALID_PARAMETER_VALUE when they end early or are more than 64 */
export function readPackedVarints(bytes: Uint8Array): bigint[] {
  const values: bigint[] = []
  for (let at = 0; at < bytes.length; ) {
    if (values.length === 64) throw malformed('a tensor has more than 64 dimensions')
    const { value, next } = readVarint(bytes, at)
    values.push(value)
    at = next
  }
  return values
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** @throws AppError INVALID_PARAMETER_VALUE when the bytes are no UTF-8 */
export function readText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new AppError('INVALID_PARAMETER_VALUE', 'Not a readable ONNX file: a name is not valid UTF-8; export the model again', { cause })
  }
}

/** A StringStringEntryProto: a name and its text. @throws AppError INVALID_PARAMETER_VALUE */
export function readPair(bytes: Uint8Array): { key: string; value: string } {
  let key = ''
  let value = ''
  for (const read of readFields(bytes)) {
    if (read.field === 1 && 'bytes' in read) key = readText(read.bytes)
    if (read.field === 2 && 'bytes' in read) value = readText(read.bytes)
  }
  return { key, value }
}
