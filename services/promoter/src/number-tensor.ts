import type { Datatype, ExampleTensor } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { ChainTensor } from '@millrace/platform/model/onnx-chain.ts'

type Values = ExampleTensor['data']

/** Integers beyond 2^53 are stored as decimal strings. */
const bigints = (data: Values): bigint[] => data.map((value) => BigInt(typeof value === 'number' ? Math.trunc(value) : value))

const numbers = (data: Values): number[] => data.map(Number)

const arrayOf: { readonly [Type in Datatype]: (data: Values) => ChainTensor['data'] } = {
  BOOL: (data) => Uint8Array.from(numbers(data)),
  INT8: (data) => Int8Array.from(numbers(data)),
  INT16: (data) => Int16Array.from(numbers(data)),
  INT32: (data) => Int32Array.from(numbers(data)),
  INT64: (data) => BigInt64Array.from(bigints(data)),
  UINT8: (data) => Uint8Array.from(numbers(data)),
  UINT16: (data) => Uint16Array.from(numbers(data)),
  UINT32: (data) => Uint32Array.from(numbers(data)),
  UINT64: (data) => BigUint64Array.from(bigints(data)),
  // The runtime takes half-precision floats as their bits.
  FP16: (data) => new Uint16Array(Float16Array.from(numbers(data)).buffer),
  FP32: (data) => Float32Array.from(numbers(data)),
  FP64: (data) => Float64Array.from(numbers(data)),
  BYTES: (data) => data.map(String),
}

/** A stored tensor as the runtime takes it. @throws AppError INVALID_PARAMETER_VALUE for a value that the element type cannot hold */
export function toChainTensor({ name, datatype, shape, data }: ExampleTensor): ChainTensor {
  try {
    return { name, datatype, shape, data: arrayOf[datatype](data) }
  } catch (cause) {
    throw new AppError('INVALID_PARAMETER_VALUE', `The stored rows of '${name}' do not fit the element type ${datatype}: log them again`, { cause })
  }
}
