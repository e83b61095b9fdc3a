import type { Datatype, TensorSpec } from '@millrace/contracts/model/model-spec.ts'

/** Elements of a tensor, row-major and flat. BOOL and UINT8 are bytes, FP16 its 16 bits, BYTES strings. */
export type TensorValues =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array
  | string[]

export interface Tensor {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[]
  readonly data: TensorValues
}

/** Why a request cannot be taken: said to the caller, never with the values that were sent. */
export interface Refusal {
  readonly refused: string
}

/** A class, so that no object of a caller can pass for one. */
class Refused implements Refusal {
  readonly refused: string

  constructor(refused: string) {
    this.refused = refused
  }
}

export const refuse = (refused: string): Refusal => new Refused(refused)
export const isRefusal = (value: unknown): value is Refusal => value instanceof Refused

export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** Rows of a batch: the size of dimension 0; a scalar is one row. */
export const rowsOf = (tensor: Tensor): number => tensor.shape[0] ?? 1

export const showShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`

export const showSpec = ({ name, datatype, shape }: TensorSpec): string => `'${name}' ${datatype} ${showShape(shape)}`

/** Space for `count` elements of a numeric type. */
export function allocate(datatype: Exclude<Datatype, 'BYTES'>, count: number): Exclude<TensorValues, string[]> {
  switch (datatype) {
    case 'BOOL':
    case 'UINT8':
      return new Uint8Array(count)
    case 'INT8':
      return new Int8Array(count)
    case 'INT16':
      return new Int16Array(count)
    case 'INT32':
      return new Int32Array(count)
    case 'INT64':
      return new BigInt64Array(count)
    case 'UINT16':
    case 'FP16':
      return new Uint16Array(count)
    case 'UINT32':
      return new Uint32Array(count)
    case 'UINT64':
      return new BigUint64Array(count)
    case 'FP32':
      return new Float32Array(count)
    case 'FP64':
      return new Float64Array(count)
  }
}
