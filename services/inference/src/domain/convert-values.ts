import type { Datatype } from '@millrace/contracts/model/model-spec.ts'
import { toHalf } from './half.ts'
import { allocate, type Refusal, refuse, type TensorValues } from './tensor.ts'

export interface ConvertOptions {
  /** Begins every message: which input it is about. */
  readonly named: string
  /** How a message points at an element; never with its value. */
  readonly at?: (index: number) => string
  /** Tables say `null` where a float is missing. */
  readonly nullIsNaN?: boolean
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

/** JSON values as elements of a datatype: whatever converts without overflow or loss of integrality. */
export function convertValues(given: readonly unknown[] | Float64Array, datatype: Datatype, options: ConvertOptions): TensorValues | Refusal {
  if (given instanceof Float64Array && datatype === 'FP32') return toSingles(given, options)
  const values: readonly unknown[] = given instanceof Float64Array ? Array.from(given) : given
  switch (datatype) {
    case 'BYTES': {
      const bad = values.findIndex((value) => typeof value !== 'string')
      return bad < 0 ? values.filter((value) => typeof value === 'string') : reject(options, bad, 'a string')
    }
    case 'BOOL': {
      const bad = values.findIndex((value) => typeof value !== 'boolean')
      return bad < 0 ? Uint8Array.from(values, Number) : reject(options, bad, 'true or false')
    }
    case 'INT64':
    case 'UINT64':
      return convertBig(values, datatype, options)
    default:
      return convertNumbers(values, datatype, options)
  }
}

const reject = ({ named, at = (index) => `element ${index}` }: ConvertOptions, index: number, expected: string): Refusal =>
  refuse(`${named}: ${at(index)} is not ${expected}`)

type NumberType = Exclude<Datatype, 'BYTES' | 'BOOL' | 'INT64' | 'UINT64'>

function convertNumbers(values: readonly unknown[], datatype: NumberType, options: ConvertOptions): TensorValues | Refusal {
  const range = integerRanges[datatype]
  const [min, max] = range ? [Number(range.min), Number(range.max)] : floatLimits(datatype)
  const expected = range ? `an integer from ${min} to ${max}` : `a finite number within the range of ${datatype} (NaN and infinity are refused)`
  const nullIsNaN = options.nullIsNaN === true && !range
  const data = allocate(datatype, values.length)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return refuse(`${options.named}: not a numeric type`)
  for (let index = 0; index < values.length; index++) {
    const value = nullIsNaN && values[index] === null ? Number.NaN : values[index]
    const missing = nullIsNaN && Number.isNaN(value)
    const fits = typeof value === 'number' && (missing || (value >= min && value <= max)) && (!range || Number.isInteger(value))
    if (!fits) return reject(options, index, expected)
    data[index] = datatype === 'FP16' ? toHalf(value) : value
  }
  return data
}

/** As `convertNumbers` does, at a fraction of the cost. */
function toSingles(values: Float64Array, options: ConvertOptions): TensorValues | Refusal {
  const data = new Float32Array(values)
  // What does not round into the type has become infinite: rare enough to be looked for by the slow way.
  for (let index = 0; index < data.length; index++) if (!Number.isFinite(data[index])) return convertNumbers(Array.from(values), 'FP32', options)
  return data
}

/** Half a unit beyond the largest of them. */
const MAX_SINGLE = 3.4028235677973362e38

/** Largest numbers that still round into the type: half a unit beyond its largest value would be infinity. */
function floatLimits(datatype: Datatype): [number, number] {
  const limit = datatype === 'FP16' ? 65_519.99 : datatype === 'FP32' ? MAX_SINGLE : Number.MAX_VALUE
  return [-limit, limit]
}

const DECIMAL = /^-?\d{1,20}$/

function convertBig(values: readonly unknown[], datatype: 'INT64' | 'UINT64', options: ConvertOptions): TensorValues | Refusal {
  const { min, max } = integerRanges[datatype] ?? signed(64n)
  const data = datatype === 'INT64' ? new BigInt64Array(values.length) : new BigUint64Array(values.length)
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    const whole = Number.isSafeInteger(value) || (typeof value === 'string' && DECIMAL.test(value))
    const big = whole ? BigInt(String(value)) : null
    if (big === null || big < min || big > max) return reject(options, index, `an integer of ${datatype} (beyond 2^53 as a decimal string)`)
    data[index] = big
  }
  return data
}
