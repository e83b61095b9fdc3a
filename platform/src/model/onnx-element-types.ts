import type { Datatype } from '@millrace/contracts/model/model-spec.ts'

/** One of ONNX's element types; those without a datatype may be inside a model but not at its ends. */
export interface OnnxElementType {
  readonly bits: number
  readonly datatype: Datatype | null
}

const served = (bits: number, datatype: Datatype): OnnxElementType => ({ bits, datatype })
const inner = (bits: number): OnnxElementType => ({ bits, datatype: null })

/** TensorProto.DataType by number (`onnx.proto3`); strings have no fixed size. */
const elementTypes: Readonly<Record<number, OnnxElementType>> = {
  1: served(32, 'FP32'),
  2: served(8, 'UINT8'),
  3: served(8, 'INT8'),
  4: served(16, 'UINT16'),
  5: served(16, 'INT16'),
  6: served(32, 'INT32'),
  7: served(64, 'INT64'),
  8: served(0, 'BYTES'),
  9: served(8, 'BOOL'),
  10: served(16, 'FP16'),
  11: served(64, 'FP64'),
  12: served(32, 'UINT32'),
  13: served(64, 'UINT64'),
  14: inner(64),
  15: inner(128),
  16: inner(16),
  17: inner(8),
  18: inner(8),
  19: inner(8),
  20: inner(8),
  21: inner(4),
  22: inner(4),
  23: inner(4),
}

export const elementTypeOf = (number: number): OnnxElementType | undefined => elementTypes[number]

export const servedElementTypes = (): string[] => Object.values(elementTypes).flatMap(({ datatype }) => datatype ?? [])
