import { type Datatype, datatype as datatypeSchema, type TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { toHalf } from './half.ts'
import { allocate, elementCount, isRefusal, type Refusal, refuse, showShape, showSpec, type Tensor } from './tensor.ts'

/** A tensor as it comes in a JSON request, before anything of it is believed. */
export interface RawTensor {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
  /** Flat, or nested in agreement with `shape`. */
  readonly data: readonly unknown[]
}

interface Range {
  readonly min: bigint
  readonly max: bigint
}

const signed = (bits: bigint): Range => ({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n })
const unsigned = (bits: bigint): Range => ({ min: 0n, max: 2n ** bits - 1n })

const integerRanges: Partial<Record<Datatype, Range>> = {
  INT8: signed(8n),
  INT16: signed(16n),
  INT32: signed(32n),
  INT64: signed(64n),
  UINT8: unsigned(8n),
  UINT16: unsigned(16n),
  UINT32: unsigned(32n),
  UINT64: unsigned(64n),
}

/**
 * Reads one input against what the model declares. Any numeric datatype is taken that converts without overflow or loss of integrality; messages name the
 * element's index, never its value.
 */
export function parseTensor(spec: TensorSpec, raw: RawTensor): Tensor | Refusal {
  const named = `Input ${showSpec(spec)}`
  const claimed = datatypeSchema.safeParse(raw.datatype).data
  if (!claimed) return refuse(`${named}: unknown datatype; expected one of ${datatypeSchema.options.join(', ')}`)
  if (kindOf(claimed) !== kindOf(spec.datatype)) return refuse(`${named}: the datatype is ${claimed}, which does not convert to ${spec.datatype}`)
  const fits = raw.shape.length === spec.shape.length && raw.shape.every((size, axis) => spec.shape[axis] === -1 || spec.shape[axis] === size)
  if (!fits) return refuse(`${named}: the shape is ${showShape(raw.shape)}, which does not fit (-1 is any size)`)
  if (elementCount(raw.shape) === 0) return refuse(`${named}: the shape ${showShape(raw.shape)} has no elements; send at least one row`)
  const flat = flatten(raw.data, raw.shape, named)
  if ('refused' in flat) return flat
  const data = convert(flat.values, spec.datatype, named)
  return isRefusal(data) ? data : { name: spec.name, datatype: spec.datatype, shape: raw.shape, data }
}

const kindOf = (datatype: Datatype): string => (datatype === 'BYTES' || datatype === 'BOOL' ? datatype : 'number')

function flatten(data: readonly unknown[], shape: readonly number[], named: string): { values: readonly unknown[] } | Refusal {
  if (!Array.isArray(data[0])) {
    if (data.length === elementCount(shape)) return { values: data }
    return refuse(`${named}: the data has ${data.length} elements, its shape ${showShape(shape)} asks for ${elementCount(shape)}`)
  }
  const values: unknown[] = []
  return collect(data, shape, 0, values) ? { values } : refuse(`${named}: the nested data does not agree with the shape ${showShape(shape)}`)
}

function collect(level: readonly unknown[], shape: readonly number[], axis: number, values: unknown[]): boolean {
  if (level.length !== shape[axis]) return false
  if (axis === shape.length - 1) {
    for (const value of level) values.push(value)
    return true
  }
  return level.every((inner) => Array.isArray(inner) && collect(inner, shape, axis + 1, values))
}

function convert(values: readonly unknown[], datatype: Datatype, named: string): Tensor['data'] | Refusal {
  switch (datatype) {
    case 'BYTES': {
      const bad = values.findIndex((value) => typeof value !== 'string')
      return bad < 0 ? values.filter((value) => typeof value === 'string') : refuse(`${named}: element ${bad} is not a string`)
    }
    case 'BOOL': {
      const bad = values.findIndex((value) => typeof value !== 'boolean')
      return bad < 0 ? Uint8Array.from(values, Number) : refuse(`${named}: element ${bad} is not true or false`)
    }
    case 'INT64':
    case 'UINT64':
      return convertBig(values, datatype, named)
    default:
      return convertNumbers(values, datatype, named)
  }
}

const reject = (named: string, index: number, expected: string): Refusal => refuse(`${named}: element ${index} is not ${expected}`)

function convertNumbers(
  values: readonly unknown[],
  datatype: Exclude<Datatype, 'BYTES' | 'BOOL' | 'INT64' | 'UINT64'>,
  named: string,
): Tensor['data'] | Refusal {
  const range = integerRanges[datatype]
  const [min, max] = range ? [Number(range.min), Number(range.max)] : floatLimits(datatype)
  const expected = range ? `an integer from ${min} to ${max}` : `a finite number within the range of ${datatype} (NaN and infinity are refused)`
  const data = allocate(datatype, values.length)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return refuse(`${named}: not a numeric type`)
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (typeof value !== 'number' || !(value >= min && value <= max) || (range && !Number.isInteger(value))) return reject(named, index, expected)
    data[index] = datatype === 'FP16' ? toHalf(value) : value
  }
  return data
}

/** Largest numbers that still round into the type: half a unit beyond its largest value would be infinity. */
function floatLimits(datatype: Datatype): [number, number] {
  const limit = datatype === 'FP16' ? 65_519.99 : datatype === 'FP32' ? 3.4028235677973362e38 : Number.MAX_VALUE
  return [-limit, limit]
}

const DECIMAL = /^-?\d{1,20}$/

function convertBig(values: readonly unknown[], datatype: 'INT64' | 'UINT64', named: string): Tensor['data'] | Refusal {
  const { min, max } = integerRanges[datatype] ?? signed(64n)
  const data = datatype === 'INT64' ? new BigInt64Array(values.length) : new BigUint64Array(values.length)
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    const whole = Number.isSafeInteger(value) || (typeof value === 'string' && DECIMAL.test(value))
    const big = whole ? BigInt(String(value)) : null
    if (big === null || big < min || big > max) return reject(named, index, `an integer of ${datatype} (beyond 2^53 as a decimal string)`)
    data[index] = big
  }
  return data
}
