/** One-sided 95 %. */
const Z = 1.6448536269514722

export interface Labelled {
  readonly labelledRows: number
  readonly correct: number
}

/** The accuracy that the labels still allow for: upper bound of Wilson's score interval (1927), one-sided 95 %. */
export function upperAccuracy({ labelledRows, correct }: Labelled): number {
  if (labelledRows === 0) return 1
  const share = correct / labelledRows
  const square = (Z * Z) / labelledRows
  return (share + square / 2 + Z * Math.sqrt((share * (1 - share)) / labelledRows + square / (4 * labelledRows))) / (1 + square)
}

/** `degraded` only where chance does not explain it; `good` again from the limit on; `unclear` between the two keeps what was said before. */
export function judgeAccuracy(labelled: Labelled, limit: number): 'good' | 'degraded' | 'unclear' {
  if (labelled.labelledRows > 0 && labelled.correct / labelled.labelledRows >= limit) return 'good'
  return upperAccuracy(labelled) < limit ? 'degraded' : 'unclear'
}
