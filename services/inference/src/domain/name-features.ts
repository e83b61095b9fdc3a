import type { ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import { fromHalf } from './half.ts'
import type { FeatureValue } from './redact.ts'
import { elementCount, type Tensor } from './tensor.ts'

/** A value as it is logged: what is no number is missing. */
export function loggedValue({ datatype, data }: Tensor, index: number): FeatureValue {
  const value = data[index]
  if (value === undefined || typeof value === 'string') return value ?? null
  const number = datatype === 'FP16' ? fromHalf(Number(value)) : Number(value)
  return Number.isFinite(number) ? number : null
}

/**
 * The features of one row by name: the columns of a table where the model names them, else the input's name, with an index where it holds several values.
 * Lazily: of a picture's pixels nobody wants more than the cap.
 */
export function* nameFeatures(inputs: readonly Tensor[], { columns }: Pick<ModelSpec, 'columns'>): Generator<readonly [string, FeatureValue]> {
  const [only] = inputs
  const named = inputs.length === 1 && columns && only && elementCount(only.shape) === columns.length ? columns : null
  for (const input of inputs) {
    const count = elementCount(input.shape)
    for (let index = 0; index < count; index++) {
      yield [named?.[index]?.name ?? (count === 1 ? input.name : `${input.name}[${index}]`), loggedValue(input, index)]
    }
  }
}
