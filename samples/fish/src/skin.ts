import type { Outline } from './outline.ts'
import type { Random } from './random.ts'
import { colour, path, short, steps } from './svg.ts'
import type { FishTraits, SkinTraits } from './traits.ts'

type Marks = (skin: SkinTraits, outline: Outline, random: Random) => string

const ellipse = (x: number, y: number, rx: number, ry: number): string => `<ellipse cx="${short(x)}" cy="${short(y)}" rx="${short(rx)}" ry="${short(ry)}"/>`

/** A place on the flank: `side` 0 is the back, 1 the belly. */
const at = (outline: Outline, x: number, side: number): number => outline.top(x) + (outline.bottom(x) - outline.top(x)) * side

const bars: Marks = (skin, outline, random) =>
  steps(0.3, 0.94, skin.count)
    .map((centre) => {
      const x = centre + random.normal(0, 0.008)
      const half = (0.22 / skin.count) * random.between(0.75, 1.2)
      const reach = random.between(0.62, 0.82)
      return `<path d="M${short(x - half)} ${short(at(outline, x, -0.05))}L${short(x + half)} ${short(at(outline, x, -0.05))}L${short(x + half * 0.4)} ${short(at(outline, x, reach))}L${short(x - half * 0.4)} ${short(at(outline, x, reach))}Z"/>`
    })
    .join('')

const scattered = (from: number, low: number, high: number, rx: number, ry: number): Marks => {
  return (skin, outline, random) =>
    Array.from({ length: skin.count }, () => {
      const x = random.between(from, 0.97)
      const size = random.between(0.7, 1.3)
      return ellipse(x, at(outline, x, random.between(low, high)), rx * size, ry * size)
    }).join('')
}

const blotches: Marks = (skin, outline, random) =>
  steps(0.27, 0.95, skin.count)
    .map((x) => ellipse(x, at(outline, x, 0.48 + random.normal(0, 0.02)), (0.3 / skin.count) * random.between(0.8, 1.1), 0.022 * random.between(0.8, 1.2)))
    .join('')

const stripe: Marks = (_skin, outline) => {
  const along = steps(0.2, 1, 12)
  const upper = along.map((x) => [x, at(outline, x, 0.4)] as const)
  const lower = along.map((x) => [x, at(outline, x, 0.54)] as const).reverse()
  return `<path d="${path([...upper, ...lower])}"/>`
}

const marksOf: Record<SkinTraits['pattern'], Marks> = {
  plain: () => '',
  bars,
  blotches,
  stripe,
  spots: scattered(0.22, 0.12, 0.72, 0.014, 0.0075),
  speckles: scattered(0.12, 0.02, 0.7, 0.0085, 0.0085),
  marble: scattered(0.08, 0.02, 0.75, 0.04, 0.018),
}

/** Rows of arcs, shifted by half a scale from row to row, as one repeating tile. */
function scaleTile({ scaleSize: size, scaleContrast }: SkinTraits): string {
  const arc = (x: number, y: number) => `M${short(x + size)} ${short(y)}A${short(size / 2)} ${short(size / 2)} 0 0 0 ${short(x + size)} ${short(y + size)}`
  const arcs = arc(-size, 0) + arc(0, 0) + arc(-size / 2, -size / 2) + arc(-size / 2, size / 2) + arc(size / 2, -size / 2) + arc(size / 2, size / 2)
  return `<pattern id="scales" width="${short(size)}" height="${short(size)}" patternUnits="userSpaceOnUse"><path d="${arcs}" fill="none" stroke="#181008" stroke-opacity="${short(scaleContrast * 0.6)}" stroke-width="${short(size * 0.13)}"/></pattern>`
}

/** Body with its colours from back to belly, scales, marks and the shine of wet skin, cut to the outline. */
export function skin(traits: FishTraits, outline: Outline, random: Random): string {
  const { back, flank, belly, marks, pattern, strength, scaleSize } = traits.skin
  const shape = path(outline.points)
  const shineY = -traits.body.depth * traits.body.backShare * random.between(0.15, 0.5)
  const ys = `y1="${short(-traits.body.depth * traits.body.backShare)}" y2="${short(traits.body.depth * (1 - traits.body.backShare))}"`
  const gradient = `<linearGradient id="flank" gradientUnits="userSpaceOnUse" x1="0" x2="0" ${ys}><stop offset="0" stop-color="${colour(back, -6)}"/><stop offset="0.25" stop-color="${colour(back)}"/><stop offset="0.52" stop-color="${colour(flank)}"/><stop offset="0.85" stop-color="${colour(belly)}"/><stop offset="1" stop-color="${colour(belly, -8)}"/></linearGradient>`
  const scales = scaleSize > 0 ? `<rect x="${short(traits.head.length)}" y="-0.5" width="1" height="1" fill="url(#scales)"/>` : ''
  return `<defs>${gradient}${scaleSize > 0 ? scaleTile(traits.skin) : ''}<clipPath id="body"><path d="${shape}"/></clipPath></defs><path d="${shape}" fill="url(#flank)" stroke="${colour(back, -14)}" stroke-width="0.006"/><g clip-path="url(#body)">${scales}<g fill="${colour(marks)}" fill-opacity="${short(strength * random.between(0.7, 1.1))}">${marksOf[pattern](traits.skin, outline, random)}</g><ellipse cx="0.5" cy="${short(shineY)}" rx="0.42" ry="0.018" fill="#fff" fill-opacity="${short(random.between(0.05, 0.4))}"/>${lateralLine(outline)}</g>`
}

function lateralLine(outline: Outline): string {
  const along = steps(0.25, 1, 14).map((x) => [x, at(outline, x, 0.46)] as const)
  return `<path d="${path(along, false)}" fill="none" stroke="#201808" stroke-opacity="0.3" stroke-width="0.004" stroke-dasharray="0.012 0.008"/>`
}
