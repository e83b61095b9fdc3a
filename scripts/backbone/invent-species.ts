import { createRandom, type Random } from '@millrace/sample-fish/random.ts'
import type { FinTraits, FishTraits, Hsl, SkinTraits } from '@millrace/sample-fish/traits.ts'

const hsl = (random: Random, saturation: number): Hsl => [random.between(0, 360), random.between(4, saturation), random.between(18, 66)]

function fin(random: Random, start: number, end: number): FinTraits {
  return { start, end, height: random.between(0.07, 0.2), shape: random.pick(['pointed', 'spiny', 'round', 'concave'] as const) }
}

function dorsal(random: Random): FinTraits[] {
  const start = random.between(0.25, 0.75)
  if (random.chance(0.3)) {
    const first = random.between(0.26, 0.36)
    const gap = first + random.between(0.18, 0.34)
    return [fin(random, first, gap), fin(random, gap + 0.02, Math.min(0.92, gap + random.between(0.1, 0.28)))]
  }
  return [fin(random, start, Math.min(0.95, start + random.between(0.06, 0.42)))]
}

const patterns: readonly [SkinTraits['pattern'], ...SkinTraits['pattern'][]] = ['plain', 'plain', 'bars', 'spots', 'blotches', 'stripe', 'speckles', 'marble']

const counts: Record<SkinTraits['pattern'], readonly [number, number]> = {
  plain: [0, 0],
  bars: [3, 12],
  spots: [20, 70],
  blotches: [3, 11],
  stripe: [1, 1],
  speckles: [50, 140],
  marble: [12, 40],
}

function skin(random: Random): SkinTraits {
  const pattern = random.pick(patterns)
  const flank = hsl(random, 55)
  return {
    back: [flank[0] + random.normal(0, 30), flank[1], flank[2] - random.between(10, 30)],
    flank,
    belly: [flank[0] + random.normal(0, 20), flank[1], flank[2] + random.between(8, 30)],
    pattern,
    marks: random.chance(0.3) ? [flank[0], 50, 75] : [random.between(0, 360), 30, random.between(10, 24)],
    count: random.int(...counts[pattern]),
    strength: random.between(0.35, 0.9),
    scaleSize: random.chance(0.12) ? 0 : random.between(0.018, 0.1),
    scaleContrast: random.between(0.15, 0.85),
  }
}

function headAndTail(random: Random): Pick<FishTraits, 'head' | 'tail'> {
  return {
    head: {
      length: random.between(0.18, 0.32),
      mouth: random.pick(['up', 'end', 'down'] as const),
      mouthSize: random.between(0.04, 0.18),
      eyeSize: random.between(0.012, 0.055),
      eye: hsl(random, 90),
      barbels: random.chance(0.6) ? 0 : random.int(1, 3),
      barbelLength: random.between(0.05, 0.26),
    },
    tail: {
      length: random.between(0.1, 0.3),
      spread: random.between(0.06, 0.22),
      fork: random.between(0, 0.85),
      round: random.chance(0.4),
      lowerLobe: random.chance(0.75) ? 1 : random.between(1.1, 1.4),
    },
  }
}

/**
 * Invents a fish that no book knows: every trait is drawn from its whole range. The backbone learns to tell such creatures apart; the species of the
 * sample are not among them (a draw from a continuous range equals none of the fifteen catalogued sets of traits), so their training stays a transfer to new classes.
 */
export function inventSpecies(seed: number, index: number): FishTraits {
  const random = createRandom(`invented/${seed}/${index}`)
  const analStart = random.between(0.5, 0.8)
  return {
    body: {
      depth: random.between(0.13, 0.52),
      peak: random.between(0.2, 0.52),
      backShare: random.between(0.38, 0.64),
      snout: random.between(0.06, 0.4),
      headPower: random.between(0.45, 1.3),
      tailPower: random.between(0.7, 1.3),
      peduncle: random.between(0.18, 0.64),
    },
    ...headAndTail(random),
    dorsal: dorsal(random),
    anal: fin(random, analStart, Math.min(0.97, analStart + random.between(0.07, 0.4))),
    pelvic: random.between(0.32, 0.56),
    pairedFinSize: random.between(0.08, 0.18),
    finColour: hsl(random, 80),
    pairedFinColour: hsl(random, 90),
    skin: skin(random),
  }
}
