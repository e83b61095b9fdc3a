import { type Datatype, datatype as datatypeSchema, type TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { convertValues } from './convert-values.ts'
import { elementCount, isRefusal, type Refusal, refuse, showShape, showSpec, type Tensor } from './tensor.ts'

/** A tensor as it comes in a JSON request, before anything of it is believed. */
export interface RawTensor {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
  /** Flat, or nested in agreement with `shape`. */
  readonly data: readonly unknown[] | Float64Array
}

const known: ReadonlyMap<string, Datatype> = new Map(datatypeSchema.options.map((name) => [name, name]))

/** The datatype that a request names. */
export function claimedDatatype(name: string, named: string): Datatype | Refusal {
  return known.get(name) ?? refuse(`${named}: unknown datatype; expected one of ${datatypeSchema.options.join(', ')}`)
}

/**
 * Reads one input against what the model declares. Any numeric datatype is taken that converts without overflow or loss of integrality; messages name the
 * element's index, never its value.
 */
export function parseTensor(spec: TensorSpec, raw: RawTensor, options: { nullIsNaN?: boolean } = {}): Tensor | Refusal {
  const named = `Input ${showSpec(spec)}`
  const claimed = claimedDatatype(raw.datatype, named)
  if (typeof claimed !== 'string') return claimed
  if (kindOf(claimed) !== kindOf(spec.datatype)) return refuse(`${named}: the datatype is ${claimed}, which does not convert to ${spec.datatype}`)
  const misfit = findMisfit(spec, raw.shape, named)
  if (misfit) return misfit
  const flat = flatten(raw.data, raw.shape, named)
  if ('refused' in flat) return flat
  const data = convertValues(flat.values, spec.datatype, { named, ...options })
  return isRefusal(data) ? data : { name: spec.name, datatype: spec.datatype, shape: raw.shape, data }
}

/** Why a shape is not one that the model takes; null when it is. */
export function findMisfit(spec: TensorSpec, shape: readonly number[], named: string): Refusal | null {
  const fits = shape.length === spec.shape.length && shape.every((size, axis) => spec.shape[axis] === -1 || spec.shape[axis] === size)
  if (!fits) return refuse(`${named}: the shape is ${showShape(shape)}, which does not fit (-1 is any size)`)
  return elementCount(shape) === 0 ? refuse(`${named}: the shape ${showShape(shape)} has no elements; send at least one row`) : null
}

const kindOf = (datatype: Datatype): string => (datatype === 'BYTES' || datatype === 'BOOL' ? datatype : 'number')

function flatten(data: RawTensor['data'], shape: readonly number[], named: string): { values: RawTensor['data'] } | Refusal {
  if (data instanceof Float64Array || !Array.isArray(data[0])) {
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
