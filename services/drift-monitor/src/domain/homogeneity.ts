import { chiSquareTail } from './incomplete-gamma.ts'

/** Categories that expect fewer rows than this on either side are folded into one. */
const SMALLEST_EXPECTATION = 5

export interface Homogeneity {
  readonly statistic: number
  readonly degrees: number
  readonly pValue: number
}

type Column = readonly [reference: number, current: number]

const total = (columns: readonly Column[], side: 0 | 1): number => columns.reduce((sum, column) => sum + column[side], 0)

/** Chi-square test that two samples share one distribution over categories: 2 × K table, K-1 degrees of freedom, Yates' correction for K = 2. Constant on both sides: p = 1. */
export function homogeneity(reference: readonly number[], current: readonly number[]): Homogeneity {
  return testColumns(pair(reference, current).filter(([left, right]) => left + right > 0))
}

/** The same after folding rare categories, for which the chi-square law does not hold. */
export function foldedHomogeneity(reference: readonly number[], current: readonly number[]): Homogeneity {
  return testColumns(fold(pair(reference, current).filter(([left, right]) => left + right > 0)))
}

const pair = (reference: readonly number[], current: readonly number[]): Column[] => reference.map((count, index) => [count, current[index] ?? 0])

function fold(columns: readonly Column[]): Column[] {
  const smallerSide = Math.min(total(columns, 0), total(columns, 1)) / (total(columns, 0) + total(columns, 1))
  const isRare = ([left, right]: Column): boolean => (left + right) * smallerSide < SMALLEST_EXPECTATION
  const rare = columns.filter(isRare)
  const common = columns.filter((column) => !isRare(column))
  return rare.length === 0 ? common : [...common, [total(rare, 0), total(rare, 1)]]
}

function testColumns(columns: readonly Column[]): Homogeneity {
  const rows = [total(columns, 0), total(columns, 1)] as const
  const all = rows[0] + rows[1]
  const degrees = columns.length - 1
  if (degrees < 1 || rows[0] === 0 || rows[1] === 0) return { statistic: 0, degrees: 0, pValue: 1 }
  const cell = (observed: number, expected: number): number => {
    const correction = degrees === 1 ? Math.min(0.5, Math.abs(observed - expected)) : 0
    return (Math.abs(observed - expected) - correction) ** 2 / expected
  }
  const statistic = columns.reduce((sum, [left, right]) => {
    const share = (left + right) / all
    return sum + cell(left, share * rows[0]) + cell(right, share * rows[1])
  }, 0)
  return { statistic, degrees, pValue: chiSquareTail(statistic, degrees) }
}
