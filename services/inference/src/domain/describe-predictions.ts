import type { Datatype, Label } from '@millrace/contracts/model/model-spec.ts'
import { fromHalf } from './half.ts'
import { renderRows } from './render-tensor.ts'
import { rowsOf, type Tensor } from './tensor.ts'

/** What a model says of one row. */
export interface RowPrediction {
  /** JSON text: a class, a number, or a list where the model answers several values. */
  readonly prediction: string
  /** Probability of the class; null where the model is no classifier. */
  readonly confidence: number | null
}

/**
 * The prediction for each row. With labels, the most probable of them. A classifier that answers its class in one output and the probabilities of all classes
 * in another (as scikit-learn's export does) is read as such. Anything else answers its first output.
 */
export function describePredictions(outputs: readonly Tensor[], labels: readonly Label[] | null): RowPrediction[] {
  const [first] = outputs
  if (!first) return []
  const probabilities = outputs.find((output) => isFloat(output.datatype) && output.shape.length === 2 && (output.shape[1] ?? 0) > 1)
  const ofClasses = labels && probabilities?.shape[1] === labels.length ? probabilities : null
  if (ofClasses && labels) return byLabel(ofClasses, labels)
  const texts = renderRows(first, true)
  const classifies = !isFloat(first.datatype) && outputs.length > 1 && probabilities !== undefined && rowsOf(probabilities) === texts.length
  return texts.map((prediction, row) => ({ prediction, confidence: classifies ? best(probabilities, row).value : null }))
}

const isFloat = (datatype: Datatype): boolean => datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64'

const byLabel = (probabilities: Tensor, labels: readonly Label[]): RowPrediction[] =>
  Array.from({ length: rowsOf(probabilities) }, (_, row) => {
    const { index, value } = best(probabilities, row)
    return { prediction: JSON.stringify(labels[index]?.class ?? String(index)), confidence: value }
  })

/** The largest value of a row, the first of equal ones; null where a value is not a number. */
function best({ data, datatype, shape }: Tensor, row: number): { index: number; value: number | null } {
  const width = shape[1] ?? 1
  let winner = { index: 0, value: Number.NEGATIVE_INFINITY }
  for (let index = 0; index < width; index++) {
    const raw = Number(data[row * width + index])
    const value = datatype === 'FP16' ? fromHalf(raw) : raw
    if (Number.isNaN(value)) return { index: 0, value: null }
    if (value > winner.value) winner = { index, value }
  }
  return { index: winner.index, value: Number.isFinite(winner.value) ? winner.value : null }
}
