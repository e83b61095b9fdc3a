import type { Hsl } from './traits.ts'

export type Point = readonly [x: number, y: number]

/** Four decimals: enough for a tenth of a pixel at body scale, and short. */
export const short = (value: number): string => String(Math.round(value * 10_000) / 10_000)

export function path(points: readonly Point[], closed = true): string {
  const [first, ...rest] = points
  if (!first) return ''
  return `M${short(first[0])} ${short(first[1])}${rest.map(([x, y]) => `L${short(x)} ${short(y)}`).join('')}${closed ? 'Z' : ''}`
}

export function colour([hue, saturation, lightness]: Hsl, lighter = 0): string {
  const level = Math.max(2, Math.min(97, lightness + lighter))
  return `hsl(${Math.round(((hue % 360) + 360) % 360)},${Math.round(Math.max(0, Math.min(100, saturation)))}%,${Math.round(level)}%)`
}

/** `count` numbers from `from` to `to`, both included. */
export function steps(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))
}
