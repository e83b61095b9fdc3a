/**
 * Adjusted p-values of Benjamini and Hochberg (1995), in the order given: running minimum from the right of p(i) · k / i over the sorted values, at most 1.
 * Rejecting those at or below q keeps the expected share of false discoveries at q.
 */
export function adjustPValues(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((left, right) => (pValues[right] ?? 0) - (pValues[left] ?? 0))
  const adjusted = pValues.map(() => 1)
  let smallest = 1
  order.forEach((index, position) => {
    const rank = pValues.length - position
    smallest = Math.min(smallest, ((pValues[index] ?? 1) * pValues.length) / rank)
    adjusted[index] = smallest
  })
  return adjusted
}
