import type { Label } from '@millrace/contracts/model/model-spec.ts'
import { isRefusal, type Refusal, refuse, type Tensor } from './tensor.ts'

export interface RankedLabel {
  readonly class: string
  readonly label: string
  readonly probability: number
}

const TOP = 3

/** The most probable labels of one row, best first; equal ones in the order of the labels. The last output of a classifier holds one probability per label. */
export function classify(outputs: readonly Tensor[], labels: readonly Label[]): RankedLabel[] | Refusal {
  const scores: readonly (number | bigint | string)[] = Array.from<number | bigint | string>(outputs.at(-1)?.data ?? [])
  if (scores.length !== labels.length) return refuse(`the model answered ${scores.length} values for ${labels.length} labels`)
  const ranked = scores.map((score, index) => ({ index, probability: Number(score) })).sort((a, b) => b.probability - a.probability || a.index - b.index)
  if (ranked.some(({ probability }) => Number.isNaN(probability))) return refuse('the model answered values that are not numbers')
  return ranked.slice(0, TOP).flatMap(({ index, probability }) => {
    const label = labels[index]
    return label ? [{ class: label.class, label: label.label, probability }] : []
  })
}

/** Class and confidence of a single-row answer, where the model is a classifier; null otherwise. */
export function winnerOf(outputs: readonly Tensor[], labels: readonly Label[] | null): RankedLabel | null {
  const ranked = labels ? classify(outputs, labels) : []
  return isRefusal(ranked) ? null : (ranked[0] ?? null)
}
