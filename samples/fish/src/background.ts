import type { Random } from './random.ts'
import { colour, short } from './svg.ts'
import type { Hsl } from './traits.ts'

export interface Frame {
  readonly width: number
  readonly height: number
}

type Ground = (frame: Frame, random: Random) => string

const fill = ({ width, height }: Frame, hue: Hsl): string => `<rect width="${width}" height="${height}" fill="${colour(hue)}"/>`

const vary = ([hue, saturation, lightness]: Hsl, random: Random): Hsl => [
  hue + random.normal(0, 12),
  saturation * random.between(0.5, 1.3),
  lightness + random.normal(0, 9),
]

const many = (count: number, draw: () => string): string => Array.from({ length: count }, draw).join('')

const grass: Ground = (frame, random) => {
  const green = vary([95, 38, 34], random)
  const blade = () => {
    const x = random.between(0, frame.width)
    const y = random.between(-10, frame.height)
    return `<path d="M${short(x)} ${short(y + 24)}q${short(random.normal(0, 5))} -14 ${short(random.normal(0, 12))} -28" stroke="${colour(green, random.between(-16, 18))}" stroke-width="${short(random.between(0.8, 2.6))}" fill="none"/>`
  }
  return fill(frame, green) + many(110, blade)
}

const planks: Ground = (frame, random) => {
  const wood = vary([30, 35, 46], random)
  const board = random.between(22, 46)
  const lines = Array.from({ length: Math.ceil(frame.height / board) + 1 }, (_, i) => {
    const y = i * board - random.between(0, 4)
    return `<rect y="${short(y)}" width="${frame.width}" height="${short(board - 1.5)}" fill="${colour(wood, random.between(-9, 9))}"/>`
  })
  const grain = () => {
    const x = random.between(-40, frame.width)
    const y = random.between(0, frame.height)
    return `<path d="M${short(x)} ${short(y)}h${short(random.between(20, 90))}" stroke="${colour(wood, -14)}" stroke-width="0.8" stroke-opacity="0.6"/>`
  }
  return fill(frame, [wood[0], wood[1], wood[2] - 20]) + lines.join('') + many(36, grain)
}

const stones: Ground = (frame, random) => {
  const base = vary(
    random.pick<Hsl>([
      [40, 18, 50],
      [210, 8, 46],
      [25, 25, 40],
    ]),
    random,
  )
  const stone = () => {
    const r = random.between(2.5, 13)
    const centre = `cx="${short(random.between(0, frame.width))}" cy="${short(random.between(0, frame.height))}"`
    return `<ellipse ${centre} rx="${short(r)}" ry="${short(r * random.between(0.6, 0.95))}" fill="${colour([base[0] + random.normal(0, 14), base[1], base[2]], random.between(-18, 18))}" stroke="#000" stroke-opacity="0.25" stroke-width="0.8"/>`
  }
  return fill(frame, base) + many(90, stone)
}

const water: Ground = (frame, random) => {
  const blue = vary(
    random.pick<Hsl>([
      [200, 35, 42],
      [160, 28, 34],
      [75, 25, 32],
    ]),
    random,
  )
  const ripple = () => {
    const y = random.between(0, frame.height)
    const w = random.between(14, 60)
    return `<path d="M${short(random.between(-20, frame.width))} ${short(y)}q${short(w / 2)} ${short(random.between(-5, 5))} ${short(w)} 0" stroke="${colour(blue, random.between(-12, 26))}" stroke-opacity="0.6" stroke-width="${short(random.between(0.8, 2.4))}" fill="none"/>`
  }
  const gradient = `<defs><linearGradient id="deep" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${colour(blue, 12)}"/><stop offset="1" stop-color="${colour(blue, -12)}"/></linearGradient></defs>`
  return `${gradient}<rect width="${frame.width}" height="${frame.height}" fill="url(#deep)"/>${many(46, ripple)}`
}

/** A measuring mat with its ruler. */
const mat: Ground = (frame, random) => {
  const cloth = vary(
    random.pick<Hsl>([
      [215, 50, 40],
      [48, 70, 58],
      [0, 0, 82],
      [140, 35, 32],
      [0, 55, 42],
    ]),
    random,
  )
  const step = random.between(6, 13)
  const y = random.chance(0.5) ? 3 : frame.height - 14
  const ticks = Array.from({ length: Math.ceil(frame.width / step) }, (_, i) => `M${short(i * step)} ${short(y)}v${i % 5 === 0 ? 11 : 6}`).join('')
  const folds = () =>
    `<path d="M${short(random.between(0, frame.width))} 0l${short(random.normal(0, 40))} ${frame.height}" stroke="${colour(cloth, -10)}" stroke-width="${short(random.between(2, 9))}" stroke-opacity="0.4"/>`
  return `${fill(frame, cloth)}${many(4, folds)}<path d="${ticks}" stroke="${colour(cloth, cloth[2] > 50 ? -45 : 45)}" stroke-width="1"/>`
}

const grounds = [grass, planks, stones, water, mat] as const

/** What the fish lies on or swims in, with two soft shadows or spots of light. */
export function background(frame: Frame, random: Random): string {
  const ground = random.pick<Ground>(grounds)(frame, random)
  const patch = () => {
    const centre = `cx="${short(random.between(0, frame.width))}" cy="${short(random.between(0, frame.height))}"`
    return `<ellipse ${centre} rx="${short(random.between(30, 110))}" ry="${short(random.between(20, 70))}" fill="${random.chance(0.5) ? '#000' : '#fff'}" fill-opacity="${short(random.between(0.05, 0.2))}"/>`
  }
  return ground + many(3, patch)
}

/** A few blades or drops in front of the fish. */
export function foreground(frame: Frame, random: Random): string {
  const blade = () => {
    const x = random.between(0, frame.width)
    return `<path d="M${short(x)} ${frame.height}q${short(random.normal(0, 12))} ${short(-frame.height * 0.35)} ${short(random.normal(0, 30))} ${short(-frame.height * random.between(0.3, 0.8))}" stroke="${colour([95 + random.normal(0, 20), 35, 30 + random.normal(0, 10)])}" stroke-width="${short(random.between(1, 3))}" fill="none"/>`
  }
  const drop = () =>
    `<circle cx="${short(random.between(0, frame.width))}" cy="${short(random.between(0, frame.height))}" r="${short(random.between(0.8, 2.6))}" fill="#fff" fill-opacity="0.55"/>`
  return random.chance(0.5) ? many(random.int(0, 5), blade) : many(random.int(0, 9), drop)
}
