import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'

/** Counts of rows by who was right: everything that the comparison is computed from. */
export interface PairedCounts {
  readonly bothRight: number
  readonly onlyChallenger: number
  readonly onlyChampion: number
  readonly bothWrong: number
}

export type RowComparison = { kind: 'comparable'; counts: PairedCounts } | { kind: 'not-comparable'; reason: string }

/** Pairs two evaluations row by row. Only the very same rows of the same data can be compared. */
export function pairRows(challenger: Evaluation, champion: Evaluation): RowComparison {
  const refuse = (reason: string): RowComparison => ({ kind: 'not-comparable', reason })
  if (challenger.datasetDigest !== champion.datasetDigest) return refuse('the two were evaluated on different data')
  if (challenger.rows.length === 0) return refuse('the evaluation has no rows')
  const others = new Map(champion.rows.map((row) => [row.id, row]))
  const own = new Map(challenger.rows.map((row) => [row.id, row]))
  if (own.size !== challenger.rows.length || others.size !== champion.rows.length) return refuse('a row occurs twice')
  if (own.size !== others.size) return refuse(`the challenger has ${own.size} rows, the champion ${others.size}`)
  const counts = { bothRight: 0, onlyChallenger: 0, onlyChampion: 0, bothWrong: 0 }
  for (const row of own.values()) {
    const other = others.get(row.id)
    if (!other) return refuse(`row ${row.id} is missing from the champion's evaluation`)
    if (other.actual !== row.actual) return refuse(`row ${row.id} has two different truths`)
    counts[verdict(row.predicted === row.actual, other.predicted === other.actual)] += 1
  }
  return { kind: 'comparable', counts }
}

function verdict(challengerRight: boolean, championRight: boolean): keyof PairedCounts {
  if (challengerRight) return championRight ? 'bothRight' : 'onlyChallenger'
  return championRight ? 'onlyChampion' : 'bothWrong'
}

export interface PairedDifference {
  readonly rows: number
  readonly challengerAccuracy: number
  readonly championAccuracy: number
  /** Challenger minus champion. */
  readonly difference: number
  /** 95 % interval of the difference. */
  readonly interval: readonly [number, number]
  /** Two-sided exact p-value that the two err equally often. */
  readonly pValue: number
}

const Z_95 = 1.959964

/**
 * Difference of two accuracies on paired rows. The interval is the Wald interval after adding one half to each cell (Agresti and Min, Statistics in
 * Medicine 24, 2005); the p-value is McNemar's exact test on the rows where the two disagree.
 */
export function pairedDifference(counts: PairedCounts): PairedDifference {
  const { bothRight, onlyChallenger: wins, onlyChampion: losses, bothWrong } = counts
  const rows = bothRight + wins + losses + bothWrong
  const center = (wins - losses) / (rows + 2)
  const spread = Math.sqrt(wins + losses + 1 - (wins - losses) ** 2 / (rows + 2)) / (rows + 2)
  return {
    rows,
    challengerAccuracy: (bothRight + wins) / rows,
    championAccuracy: (bothRight + losses) / rows,
    difference: (wins - losses) / rows,
    interval: [Math.max(-1, center - Z_95 * spread), Math.min(1, center + Z_95 * spread)],
    pValue: exactBinomial(Math.min(wins, losses), wins + losses),
  }
}

/** Two-sided P(X <= k or X >= n - k) for X ~ Binomial(n, 1/2), summed in logarithms so that large n does not underflow to nothing. */
function exactBinomial(k: number, n: number): number {
  let logTerm = -n * Math.LN2
  let sum = 0
  for (let i = 0; i <= k; i += 1) {
    sum += Math.exp(logTerm)
    logTerm += Math.log((n - i) / (i + 1))
  }
  return Math.min(1, 2 * sum)
}
