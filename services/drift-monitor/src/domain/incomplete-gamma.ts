const EPSILON = 1e-16
const MAX_TERMS = 10_000
/** Lanczos approximation with g = 7 and nine coefficients: about 15 digits. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012,
  9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** ln Γ(x) for x >= 0.5, which is all that degrees of freedom can ask for. */
function logGamma(x: number): number {
  const shifted = x - 1
  const base = shifted + 7.5
  const sum = LANCZOS.reduce((total, coefficient, index) => (index === 0 ? coefficient : total + coefficient / (shifted + index)), 0)
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum)
}

/** P(a, x) by its power series (DLMF 8.11.4): converges fast for x < a + 1. */
function lowerBySeries(a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let n = 1; n < MAX_TERMS && term > sum * EPSILON; n++) {
    term *= x / (a + n)
    sum += term
  }
  return sum * Math.exp(-x + a * Math.log(x) - logGamma(a))
}

/** Q(a, x) by its continued fraction (DLMF 8.9.2, evaluated by Lentz's method): converges fast for x >= a + 1. */
function upperByFraction(a: number, x: number): number {
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let value = d
  for (let n = 1; n < MAX_TERMS; n++) {
    const numerator = -n * (n - a)
    b += 2
    d = 1 / (Math.abs(numerator * d + b) < tiny ? tiny : numerator * d + b)
    c = Math.abs(b + numerator / c) < tiny ? tiny : b + numerator / c
    value *= d * c
    if (Math.abs(d * c - 1) < EPSILON * 10) break
  }
  return value * Math.exp(-x + a * Math.log(x) - logGamma(a))
}

/** The upper regularised incomplete gamma function Q(a, x), for a >= 0.5. */
export function upperIncompleteGamma(a: number, x: number): number {
  if (x <= 0) return 1
  if (!Number.isFinite(x)) return 0
  const upper = x < a + 1 ? 1 - lowerBySeries(a, x) : upperByFraction(a, x)
  return Math.min(1, Math.max(0, upper))
}

/** Probability that a chi-square variable with `degrees` of freedom is at least `statistic`. No degree of freedom leaves nothing to test: 1. */
export function chiSquareTail(statistic: number, degrees: number): number {
  return degrees < 1 ? 1 : upperIncompleteGamma(degrees / 2, statistic / 2)
}

/** The point that a chi-square variable exceeds with probability `tail` (bisection to the last bits). */
export function chiSquareLimit(tail: number, degrees: number): number {
  let low = 0
  let high = degrees + 10
  while (chiSquareTail(high, degrees) > tail) high *= 2
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2
    if (chiSquareTail(middle, degrees) > tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}
