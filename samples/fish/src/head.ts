import type { Outline } from './outline.ts'
import type { Random } from './random.ts'
import { colour, short } from './svg.ts'
import type { FishTraits } from './traits.ts'

function gillCover({ head, skin }: FishTraits, outline: Outline): string {
  const x = head.length
  const top = outline.top(x) * 0.55 + outline.axis(x) * 0.45
  const bottom = outline.bottom(x) * 0.8 + outline.axis(x) * 0.2
  const curve = `M${short(x - 0.03)} ${short(top)}C${short(x + 0.035)} ${short(top)} ${short(x + 0.035)} ${short(bottom)} ${short(x - 0.07)} ${short(bottom)}`
  return `<path d="${curve}" fill="${colour(skin.flank, -4)}" fill-opacity="0.45" stroke="${colour(skin.back, -12)}" stroke-width="0.008" stroke-opacity="0.75"/>`
}

function eye({ head, body }: FishTraits, outline: Outline): string {
  const x = head.length * 0.36 + head.mouthSize * 0.25
  const y = outline.axis(x) + (outline.top(x) - outline.axis(x)) * 0.42 - body.depth * 0.01
  const r = head.eyeSize
  return `<circle cx="${short(x)}" cy="${short(y)}" r="${short(r)}" fill="${colour(head.eye)}" stroke="#201a10" stroke-width="0.004"/><circle cx="${short(x)}" cy="${short(y)}" r="${short(r * 0.52)}" fill="#0a0a0c"/><circle cx="${short(x - r * 0.2)}" cy="${short(y - r * 0.25)}" r="${short(r * 0.16)}" fill="#fff"/>`
}

/** Where the mouth opens: share of the snout's height, and which way its corner points. */
const mouths = { up: { at: -0.75, corner: 0.35 }, end: { at: 0.05, corner: 0.15 }, down: { at: 0.75, corner: 0.1 } } as const

function mouth({ head, body }: FishTraits, outline: Outline): string {
  const { at, corner } = mouths[head.mouth]
  const y = outline.axis(0.01) + at * body.snout * body.depth * 0.5
  return `<path d="M0.002 ${short(y)}Q${short(head.mouthSize * 0.5)} ${short(y + head.mouthSize * corner * 0.3)} ${short(head.mouthSize)} ${short(y + head.mouthSize * corner)}" fill="none" stroke="#1c120c" stroke-width="0.009"/>`
}

function barbels({ head, body, skin }: FishTraits, outline: Outline, random: Random): string {
  const y = outline.axis(0.02) + 0.4 * body.snout * body.depth
  const whisker = (start: number, drop: number) => {
    const length = head.barbelLength * random.between(0.85, 1.15)
    const reach = random.between(-0.3, 0.5) * length
    return `<path d="M${short(start)} ${short(y)}q${short(reach * 0.2 - 0.01)} ${short(length * 0.6)} ${short(reach)} ${short(length * drop)}" fill="none" stroke="${colour(skin.back, -4)}" stroke-width="0.011" stroke-linecap="round"/>`
  }
  return Array.from({ length: head.barbels }, (_, i) => whisker(0.015 + i * 0.035, 1 - i * 0.15)).join('')
}

export function headOf(traits: FishTraits, outline: Outline, random: Random): string {
  return gillCover(traits, outline) + mouth(traits, outline) + eye(traits, outline) + barbels(traits, outline, random)
}
