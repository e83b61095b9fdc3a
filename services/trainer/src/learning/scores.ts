/** Position and value of a row's largest probability. */
export function topOf(probabilities: Float32Array, row: number, classes: number): { index: number; probability: number } {
  let index = 0
  for (let i = 1; i < classes; i++) if ((probabilities[row * classes + i] ?? 0) > (probabilities[row * classes + index] ?? 0)) index = i
  return { index, probability: probabilities[row * classes + index] ?? 0 }
}

/** Mean cross-entropy (natural logarithm; probabilities floored at 1e-7) and share of right answers. */
export function scoreOf(probabilities: Float32Array, targets: readonly number[], classes: number): { loss: number; accuracy: number } {
  let loss = 0
  let hits = 0
  for (const [row, target] of targets.entries()) {
    loss -= Math.log(Math.max(1e-7, probabilities[row * classes + target] ?? 0))
    if (topOf(probabilities, row, classes).index === target) hits++
  }
  return { loss: loss / targets.length, accuracy: hits / targets.length }
}

/** Rows are actual classes, columns predicted ones. */
export function confusionOf(actual: readonly number[], predicted: readonly number[], classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (const [row, target] of actual.entries()) {
    const line = counts[target]
    const column = predicted[row] ?? 0
    if (line) line[column] = (line[column] ?? 0) + 1
  }
  return counts
}

/** Share of each class's rows that were recognised; null for a class without rows. */
export function recallOf(confusion: readonly (readonly number[])[]): (number | null)[] {
  return confusion.map((line, i) => {
    const total = line.reduce((sum, count) => sum + count, 0)
    return total === 0 ? null : (line[i] ?? 0) / total
  })
}
