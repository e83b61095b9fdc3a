import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import type { ProfileRow } from './build-reference-profile.ts'
import type { FeatureRow, FeatureSet } from './extract-features.ts'
import { createNetwork, disposeNetwork, predictProbabilities } from './head-network.ts'
import type { HeadWeights } from './head-weights.ts'
import { confusionOf, recallOf, scoreOf, topOf } from './scores.ts'

export interface TestResult {
  readonly accuracy: number
  readonly loss: number
  readonly confusion: readonly (readonly number[])[]
  readonly recall: readonly (number | null)[]
  readonly evaluation: Evaluation
  readonly profileRows: readonly ProfileRow[]
}

function evaluationOf({ dataset }: FeatureSet, rows: readonly FeatureRow[], tops: readonly { index: number; probability: number }[]): Evaluation {
  const named = (index: number) => dataset.classes[index] ?? ''
  return {
    datasetDigest: dataset.digest,
    split: 'test',
    classes: [...dataset.classes],
    rows: rows.map(({ file }, i) => ({ id: file.id, actual: file.class, predicted: named(tops[i]?.index ?? 0), confidence: tops[i]?.probability ?? 0 })),
  }
}

/** Asks the trained head about every test row. */
export function evaluateTestSplit(weights: HeadWeights, set: FeatureSet): TestResult {
  const rows = set.rows.filter(({ file }) => file.split === 'test')
  const classes = set.dataset.classes.length
  const network = createNetwork(weights)
  const probabilities = predictProbabilities(
    network,
    rows.map(({ features }) => features),
    set.width,
  )
  disposeNetwork(network)
  const targets = rows.map(({ target }) => target)
  const tops = rows.map((_, i) => topOf(probabilities, i, classes))
  const confusion = confusionOf(
    targets,
    tops.map(({ index }) => index),
    classes,
  )
  const evaluation = evaluationOf(set, rows, tops)
  const profileRows = rows.flatMap(({ statistics }, i): ProfileRow[] => {
    const row = evaluation.rows[i]
    return statistics && row ? [{ statistics, predicted: row.predicted, confidence: row.confidence }] : []
  })
  return { ...scoreOf(probabilities, targets, classes), confusion, recall: recallOf(confusion), evaluation, profileRows }
}
