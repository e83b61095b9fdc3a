import { background, type Frame, foreground } from './background.ts'
import { edgeFins, pairedFins, tailFin } from './fins.ts'
import { headOf } from './head.ts'
import { outlineOf } from './outline.ts'
import type { Random } from './random.ts'
import { skin } from './skin.ts'
import { path, short } from './svg.ts'
import type { FishTraits } from './traits.ts'
import { varyFish } from './vary-fish.ts'

/** How the camera stands to the fish: how much of the frame it fills, and how far it is tilted (degrees). */
export interface View {
  readonly smallest: number
  readonly largest: number
  readonly tilt: number
}

function pose(traits: FishTraits, frame: Frame, view: View, random: Random): string {
  const whole = 1 + traits.tail.length
  const length = (frame.width * random.between(view.smallest, view.largest)) / whole
  const height = length * random.between(0.84, 1.06)
  const x = frame.width / 2 + frame.width * random.normal(0, 0.015)
  const y = frame.height / 2 + frame.height * random.normal(0, 0.05)
  const flip = random.chance(0.5) ? -1 : 1
  const turn = `rotate(${short(random.normal(0, view.tilt))}) skewX(${short(random.normal(0, 4))})`
  return `translate(${short(x)} ${short(y)}) ${turn} scale(${short(flip * length)} ${short(height)}) translate(${short(-whole / 2)} 0)`
}

/** The whole picture as SVG, before the camera has seen it: background, shadow, fish, what lies in front. */
export function scene(kind: FishTraits, frame: Frame, view: View, random: Random, individuality: number): string {
  const traits = varyFish(kind, random, individuality)
  const outline = outlineOf(traits.body, random.normal(0, 0.018))
  const shadow = `<g transform="translate(${short(random.normal(0, 0.02))} 0.03)"><path d="${path(outline.points)}" fill="#000" fill-opacity="${short(random.between(0.1, 0.4))}"/></g>`
  const parts = [
    tailFin(traits, outline, random),
    edgeFins(traits, outline, random),
    skin(traits, outline, random),
    headOf(traits, outline, random),
    pairedFins(traits, outline, random),
  ]
  const fish = `<g transform="${pose(traits, frame, view, random)}">${shadow}${parts.join('')}</g>`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${frame.width}" height="${frame.height}">${background(frame, random)}${fish}${foreground(frame, random)}</svg>`
}
