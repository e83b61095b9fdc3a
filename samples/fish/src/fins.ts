import type { Outline } from './outline.ts'
import type { Random } from './random.ts'
import { colour, type Point, path, short, steps } from './svg.ts'
import type { FinTraits, FishTraits, Hsl } from './traits.ts'

/** Height of a fin along its base (0 front, 1 rear), as a share of its greatest height. */
const heightOf: Record<FinTraits['shape'], (along: number) => number> = {
  pointed: (along) => (along < 0.22 ? along / 0.22 : 1 - 0.75 * ((along - 0.22) / 0.78)),
  concave: (along) => (along < 0.14 ? along / 0.14 : 0.42 + 0.58 * (1 - (along - 0.14) / 0.86) ** 2.6),
  round: (along) => Math.sin(Math.PI * (0.1 + 0.82 * along)) ** 0.5,
  spiny: (along) => (0.55 + 0.45 * Math.sin(Math.PI * (0.15 + 0.8 * along))) * (along > 0.92 ? 0.5 : 1),
}

interface EdgeFin {
  readonly fin: FinTraits
  /** The body's edge that the fin stands on, and which way is out: -1 up, 1 down. */
  readonly edge: (x: number) => number
  readonly out: 1 | -1
  readonly colour: Hsl
  /** 0.5 folded to 1 spread. */
  readonly spread: number
}

function edgeFin({ fin, edge, out, colour: hue, spread }: EdgeFin): string {
  const rays = fin.shape === 'spiny' ? 11 : 9
  const base = steps(fin.start, fin.end, rays)
  const tips = base.map((x, i): Point => {
    const along = i / (rays - 1)
    const lean = 0.35 * fin.height * spread * heightOf[fin.shape](along)
    return [x + lean, edge(x) + out * fin.height * spread * heightOf[fin.shape](along)]
  })
  const outline = fin.shape === 'spiny' ? spiny(tips, out, fin.height * spread * 0.22) : tips
  const inner = base.map((x): Point => [x, edge(x) - out * 0.01]).reverse()
  const lines = base.map((x, i) => `M${short(x)} ${short(edge(x))}L${short(tips[i]?.[0] ?? x)} ${short(tips[i]?.[1] ?? edge(x))}`).join('')
  const ink = colour(hue, -14)
  return `<path d="${path([...outline, ...inner])}" fill="${colour(hue)}" fill-opacity="0.85" stroke="${ink}" stroke-width="0.004"/><path d="${lines}" stroke="${ink}" stroke-width="${fin.shape === 'spiny' ? 0.007 : 0.004}" stroke-opacity="0.75"/>`
}

/** Between two spines the skin sinks towards the body. */
function spiny(tips: readonly Point[], out: 1 | -1, sink: number): Point[] {
  return tips.flatMap((tip, i): Point[] => {
    const next = tips[i + 1]
    return next ? [tip, [(tip[0] + next[0]) / 2, (tip[1] + next[1]) / 2 - out * sink]] : [tip]
  })
}

/** Dorsal and anal fins. */
export function edgeFins(traits: FishTraits, outline: Outline, random: Random): string {
  const spread = random.between(0.72, 1.08)
  const dorsal = traits.dorsal.map((fin) => edgeFin({ fin, edge: outline.top, out: -1, colour: traits.finColour, spread }))
  const anal = edgeFin({ fin: traits.anal, edge: outline.bottom, out: 1, colour: traits.pairedFinColour, spread: random.between(0.75, 1.08) })
  return dorsal.join('') + anal
}

/** Pelvic fin on the belly and pectoral fin behind the gill cover. */
export function pairedFins(traits: FishTraits, outline: Outline, random: Random): string {
  const size = traits.pairedFinSize
  const pectoralX = traits.head.length + 0.015
  const pectoralY = outline.axis(pectoralX) + (outline.bottom(pectoralX) - outline.axis(pectoralX)) * 0.6
  return (
    leaf(traits.pelvic, outline.bottom(traits.pelvic) - 0.008, size * random.between(0.85, 1.1), random.between(35, 62), traits.pairedFinColour) +
    leaf(pectoralX, pectoralY, size * random.between(0.8, 1.05), random.between(8, 40), traits.pairedFinColour)
  )
}

function leaf(x: number, y: number, size: number, angle: number, hue: Hsl): string {
  const shape = `M0 0C${short(size * 0.3)} ${short(-size * 0.28)} ${short(size * 0.8)} ${short(-size * 0.3)} ${short(size)} ${short(-size * 0.05)}C${short(size * 0.8)} ${short(size * 0.22)} ${short(size * 0.4)} ${short(size * 0.25)} 0 0Z`
  const rays = [-0.16, -0.05, 0.07].map((side) => `M0 0L${short(size * 0.85)} ${short(size * side)}`).join('')
  return `<g transform="translate(${short(x)} ${short(y)}) rotate(${short(angle)})"><path d="${shape}" fill="${colour(hue)}" fill-opacity="0.88" stroke="${colour(hue, -14)}" stroke-width="0.004"/><path d="${rays}" stroke="${colour(hue, -14)}" stroke-width="0.004"/></g>`
}

export function tailFin(traits: FishTraits, outline: Outline, random: Random): string {
  const { length, spread, fork, round, lowerLobe } = traits.tail
  const open = spread * random.between(0.85, 1.12)
  const end = (reach: number) => outline.axis(1 + length * reach)
  const upper: Point = [1 + length, end(1) - open]
  const lower: Point = [1 + length * lowerLobe, end(1) + open * Math.sqrt(lowerLobe)]
  const notch: Point = [1 + length * (1 - fork * 0.75), end(0.5)]
  const start = outline.top(0.985)
  const finish = outline.bottom(0.985)
  const bulge = round ? 0.1 : -0.06
  const curve = (from: Point, to: Point, amount: number) =>
    `Q${short((from[0] + to[0]) / 2 + length * amount)} ${short((from[1] + to[1]) / 2)} ${short(to[0])} ${short(to[1])}`
  const shape = `M0.985 ${short(start)}Q${short(1 + length * 0.45)} ${short(start - open * 0.15)} ${short(upper[0])} ${short(upper[1])}${curve(upper, notch, bulge)}${curve(notch, lower, bulge)}Q${short(1 + length * 0.45)} ${short(finish + open * 0.15)} 0.985 ${short(finish)}Z`
  const rays = steps(-0.85, 0.85, 7).map(
    (side) => `M1 ${short(end(0))}L${short(1 + length * (0.55 + 0.3 * Math.abs(side)))} ${short(end(0.8) + open * side * 0.8)}`,
  )
  const hue = traits.finColour
  return `<path d="${shape}" fill="${colour(hue)}" fill-opacity="0.92" stroke="${colour(hue, -14)}" stroke-width="0.005"/><path d="${rays.join('')}" stroke="${colour(hue, -12)}" stroke-width="0.004" stroke-opacity="0.7"/>`
}
