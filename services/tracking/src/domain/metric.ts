/** A metric's point as it is kept: NaN is the flag with the value 0, infinities are the largest doubles. Time in ms since the epoch. */
export interface Point {
  readonly key: string
  readonly timestamp: number
  readonly step: number
  readonly value: number
  readonly isNan: boolean
}

/** What a point says beyond the run: it was measured on a logged model, possibly with a data set. */
export interface ModelPoint extends Point {
  readonly modelId: string
  readonly runId: string
  readonly datasetName: string
  readonly datasetDigest: string
}

export function storedValue(value: number): { value: number; isNan: boolean } {
  if (Number.isNaN(value)) return { value: 0, isNan: true }
  // A negative zero is the same point as zero.
  return { value: Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value)) + 0, isNan: false }
}

/** JSON has no NaN: it travels as text. */
export const shownValue = (point: Pick<Point, 'value' | 'isNan'>): number | string => (point.isNan ? 'NaN' : point.value)

/** Later by (step, timestamp, value); of NaN and 0 at the same instant the number counts as later. */
export function isLater(left: Point, right: Point): boolean {
  if (left.step !== right.step) return left.step > right.step
  if (left.timestamp !== right.timestamp) return left.timestamp > right.timestamp
  if (left.value !== right.value) return left.value > right.value
  return !left.isNan && right.isNan
}

/** The latest point of each key, in the order of the keys: writers that lock rows in one order cannot deadlock. */
export function latestByKey(points: readonly Point[]): Point[] {
  const latest = new Map<string, Point>()
  for (const point of points) {
    const present = latest.get(point.key)
    if (!present || isLater(point, present)) latest.set(point.key, point)
  }
  return [...latest.values()].sort((left, right) => (left.key < right.key ? -1 : 1))
}
