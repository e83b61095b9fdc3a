import type { Datatype } from '@millrace/contracts/model/model-spec.ts'
import { elementTypeOf, servedElementTypes } from './onnx-element-types.ts'
import { type OnnxLimits, refuseOnnx } from './onnx-limits.ts'
import { readFields, readText, visitMessages } from './protobuf-reader.ts'

/** A graph's input or output: -1 is an open dimension, a null shape says nothing about the rank. */
export interface OnnxValueInfo {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[] | null
}

const MAX_RANK = 8

function readDimension(bytes: Uint8Array): number {
  let size = -1
  for (const read of readFields(bytes)) if (read.field === 1 && 'number' in read) size = Number(BigInt.asIntN(64, read.number))
  return size >= 0 && Number.isSafeInteger(size) ? size : -1
}

function readShape(bytes: Uint8Array): number[] {
  const shape: number[] = []
  visitMessages(bytes, { 1: (dimension) => shape.push(readDimension(dimension)) })
  return shape
}

function readTensorType(name: string, bytes: Uint8Array): { value: OnnxValueInfo; elementBits: number } {
  let number = 0
  let shape: number[] | null = null
  for (const read of readFields(bytes)) {
    if (read.field === 1 && 'number' in read) number = Number(read.number)
    if (read.field === 2 && 'bytes' in read) shape = readShape(read.bytes)
  }
  const type = elementTypeOf(number)
  if (!type?.datatype)
    throw refuseOnnx(`The tensor '${name}' of the ONNX file has an element type that is not served; use one of ${servedElementTypes().join(', ')}`)
  return { value: { name, datatype: type.datatype, shape }, elementBits: type.bits }
}

function checkSize({ value: { name, shape }, elementBits }: { value: OnnxValueInfo; elementBits: number }, limits: OnnxLimits): void {
  if (!shape) return
  if (shape.length > MAX_RANK) throw refuseOnnx(`The tensor '${name}' of the ONNX file has ${shape.length} dimensions; at most ${MAX_RANK} are served`)
  const elements = shape.reduce((product, size) => product * (size === -1 ? 1 : size), 1)
  if ((elements * elementBits) / 8 > limits.maxTensorBytes)
    throw refuseOnnx(`The tensor '${name}' of the ONNX file has the shape [${shape.join(', ')}]; at most ${limits.maxTensorBytes} bytes are served`)
}

/** Reads a ValueInfoProto; null for what is no tensor (a sequence, a map). @throws AppError INVALID_PARAMETER_VALUE */
export function readValueInfo(bytes: Uint8Array, limits: OnnxLimits): { name: string; tensor: OnnxValueInfo | null } {
  let name = ''
  const types: Uint8Array[] = []
  visitMessages(bytes, {
    1: (text) => {
      name = readText(text)
    },
    2: (type) => visitMessages(type, { 1: (tensor) => types.push(tensor) }),
  })
  const type = types.at(-1)
  if (!type) return { name, tensor: null }
  const read = readTensorType(name, type)
  checkSize(read, limits)
  return { name, tensor: read.value }
}
