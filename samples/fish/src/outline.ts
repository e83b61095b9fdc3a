import { type Point, steps } from './svg.ts'
import type { BodyTraits } from './traits.ts'

/** The body's edges in body lengths: x from 0 (snout) to 1 (tail base), y downwards. */
export interface Outline {
  /** The line from snout to tail, bent as the fish swims. */
  axis(x: number): number
  top(x: number): number
  bottom(x: number): number
  readonly points: readonly Point[]
}

/** Height of the profile at x, as a share of the greatest depth: rises over the head, falls towards the tail. */
function profile(body: BodyTraits, x: number): number {
  if (x <= body.peak) return body.snout + (1 - body.snout) * Math.sin((Math.PI / 2) * Math.max(0, x / body.peak)) ** body.headPower
  const behind = Math.min(1, (x - body.peak) / (1 - body.peak))
  return body.peduncle + (1 - body.peduncle) * ((1 + Math.cos(Math.PI * behind)) / 2) ** body.tailPower
}

/** Rounds the snout off: the outline closes within the first hundredths of the length. */
const closing = (x: number): number => (x >= 0.03 ? 1 : Math.sqrt(Math.max(0, x / 0.03)))

export function outlineOf(body: BodyTraits, bend: number): Outline {
  const axis = (x: number) => bend * (Math.sin(Math.PI * (x * 1.1 - 0.2)) - Math.sin(Math.PI * 0.35))
  const top = (x: number) => axis(x) - body.depth * body.backShare * profile(body, x) * closing(x)
  const bottom = (x: number) => axis(x) + body.depth * (1 - body.backShare) * profile(body, x) * closing(x)
  const along = [0, 0.004, 0.012, 0.03, ...steps(0.06, 1, 26)]
  const upper = along.map((x): Point => [x, top(x)])
  const lower = along.map((x): Point => [x, bottom(x)]).reverse()
  return { axis, top, bottom, points: [...upper, ...lower] }
}
