import type { Random } from './random.ts'
import type { FinTraits, FishTraits, Hsl } from './traits.ts'

/** How much single fish of one kind differ; the colours overlap widely between kinds, so that colour alone does not name a fish. */
const spread = { hue: 12, saturation: 8, lightness: 7, shape: 0.04, place: 0.009 }

function tint([hue, saturation, lightness]: Hsl, shift: Hsl, random: Random): Hsl {
  return [hue + shift[0] + random.normal(0, 4), saturation + shift[1] + random.normal(0, 3), lightness + shift[2] + random.normal(0, 3)]
}

function varyFin(fin: FinTraits, random: Random, individuality: number): FinTraits {
  const shift = random.normal(0, spread.place * individuality)
  return { ...fin, start: fin.start + shift, end: fin.end + shift, height: fin.height * (1 + random.normal(0, spread.shape * 1.5 * individuality)) }
}

/**
 * One fish of its kind: shape, fins and colours vary about those of the species.
 * `individuality` scales how far shape and fins depart from it; 1 is as far as the spread above.
 */
export function varyFish(kind: FishTraits, random: Random, individuality: number): FishTraits {
  const factor = () => 1 + random.normal(0, spread.shape * individuality)
  const shift: Hsl = [random.normal(0, spread.hue), random.normal(0, spread.saturation), random.normal(0, spread.lightness)]
  const { skin, body, head, tail } = kind
  return {
    ...kind,
    body: { ...body, depth: body.depth * factor(), peak: body.peak * factor(), peduncle: body.peduncle * factor(), headPower: body.headPower * factor() },
    head: { ...head, eyeSize: head.eyeSize * factor(), length: head.length * (1 + random.normal(0, 0.03)) },
    tail: { ...tail, length: tail.length * factor(), spread: tail.spread * factor() },
    dorsal: kind.dorsal.map((fin) => varyFin(fin, random, individuality)),
    anal: varyFin(kind.anal, random, individuality),
    finColour: tint(kind.finColour, shift, random),
    pairedFinColour: tint(kind.pairedFinColour, shift, random),
    skin: {
      ...skin,
      back: tint(skin.back, shift, random),
      flank: tint(skin.flank, shift, random),
      belly: tint(skin.belly, shift, random),
      scaleSize: skin.scaleSize * factor(),
      scaleContrast: skin.scaleContrast * random.between(0.5, 1.25),
    },
  }
}
