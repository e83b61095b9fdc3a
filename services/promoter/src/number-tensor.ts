import type { Datatype, TensorData } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { ChainTensor } from '@millrace/platform/model/onnx-chain.ts'

const bigints = (data: readonly number[]): bigint[] => data.map((value) => BigInt(Math.trunc(value)))

const arrayOf: { readonly [Type in Datatype]?: (data: readonly number[]) => ChainTensor['data'] } = {
  BOOL: (data) => Uint8Array.from(data),
  INT8: (data) => Int8Array.from(data),
  INT16: (data) => Int16Array.from(data),
  INT32: (data) => Int32Array.from(data),
  INT64: (data) => BigInt64Array.from(bigints(data)),
  UINT8: (data) => Uint8Array.from(data),
  UINT16: (data) => Uint16Array.from(data),
  UINT32: (data) => Uint32Array.from(data),
  UINT64: (data) => BigUint64Array.from(bigints(data)),
  FP32: (data) => Float32Array.from(data),
  FP64: (data) => Float64Array.from(data),
}

/** A stored tensor as the runtime takes it. @throws AppError INVALID_PARAMETER_VALUE for element types that plain numbers cannot hold */
export function toChainTensor({ name, datatype, shape, data }: TensorData): ChainTensor {
  const convert = arrayOf[datatype]
  if (!convert) throw new AppError('INVALID_PARAMETER_VALUE', `Stored rows of the element type ${datatype} ('${name}') cannot be run: store them as numbers`)
  return { name, datatype, shape, data: convert(data) }
}
