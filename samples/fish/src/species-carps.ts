import type { FishTraits, Hsl, Species } from './traits.ts'

const silver: FishTraits['skin'] = {
  back: [110, 18, 34],
  flank: [80, 12, 62],
  belly: [60, 15, 82],
  pattern: 'plain',
  marks: [100, 15, 25],
  count: 0,
  strength: 0,
  scaleSize: 0.05,
  scaleContrast: 0.3,
}
const grey: Hsl = [210, 8, 38]
const red: Hsl = [8, 72, 48]
const yellow: Hsl = [48, 75, 55]

/** Roach: the plain silver fish that its relatives are described against. */
const roach: FishTraits = {
  body: { depth: 0.31, peak: 0.42, backShare: 0.52, snout: 0.12, headPower: 0.85, tailPower: 1, peduncle: 0.34 },
  head: { length: 0.22, mouth: 'end', mouthSize: 0.05, eyeSize: 0.032, eye: red, barbels: 0, barbelLength: 0 },
  tail: { length: 0.24, spread: 0.17, fork: 0.6, round: false, lowerLobe: 1 },
  dorsal: [{ start: 0.45, end: 0.61, height: 0.17, shape: 'pointed' }],
  anal: { start: 0.7, end: 0.84, height: 0.11, shape: 'pointed' },
  pelvic: 0.46,
  pairedFinSize: 0.13,
  finColour: [20, 35, 40],
  pairedFinColour: [15, 75, 50],
  skin: { ...silver, scaleSize: 0.062, scaleContrast: 0.45 },
}

const rudd: FishTraits = {
  ...roach,
  body: { ...roach.body, depth: 0.4, peak: 0.46, backShare: 0.5, headPower: 1.05, peduncle: 0.3 },
  head: { ...roach.head, mouth: 'up', mouthSize: 0.06, eye: yellow, length: 0.2 },
  dorsal: [{ start: 0.59, end: 0.74, height: 0.16, shape: 'pointed' }],
  anal: { start: 0.72, end: 0.87, height: 0.12, shape: 'pointed' },
  finColour: [2, 80, 40],
  pairedFinColour: [2, 88, 45],
  skin: { ...silver, back: [70, 30, 32], flank: [50, 45, 56], belly: [48, 40, 76], scaleSize: 0.07, scaleContrast: 0.6 },
}

const ide: FishTraits = {
  ...roach,
  body: { ...roach.body, depth: 0.255, peak: 0.38, backShare: 0.56, headPower: 0.6, snout: 0.22, peduncle: 0.48 },
  head: { ...roach.head, eyeSize: 0.024, eye: yellow, mouth: 'end', mouthSize: 0.06, length: 0.23 },
  tail: { ...roach.tail, fork: 0.42, spread: 0.16 },
  dorsal: [{ start: 0.49, end: 0.61, height: 0.14, shape: 'pointed' }],
  finColour: [210, 12, 30],
  pairedFinColour: [5, 60, 42],
  skin: { ...silver, back: [200, 18, 24], flank: [48, 22, 56], scaleSize: 0.036, scaleContrast: 0.3 },
}

const bream: FishTraits = {
  ...roach,
  body: { depth: 0.5, peak: 0.44, backShare: 0.6, snout: 0.08, headPower: 1.15, tailPower: 1.25, peduncle: 0.2 },
  head: { ...roach.head, length: 0.2, mouth: 'down', eyeSize: 0.026, eye: [50, 30, 60] },
  tail: { length: 0.26, spread: 0.21, fork: 0.75, round: false, lowerLobe: 1.3 },
  dorsal: [{ start: 0.52, end: 0.64, height: 0.22, shape: 'pointed' }],
  anal: { start: 0.6, end: 0.92, height: 0.14, shape: 'concave' },
  finColour: [220, 12, 24],
  pairedFinColour: [220, 12, 26],
  skin: { ...silver, back: [45, 22, 26], flank: [44, 26, 50], belly: [46, 20, 74], scaleSize: 0.04, scaleContrast: 0.35 },
}

const whiteBream: FishTraits = {
  ...bream,
  body: { ...bream.body, depth: 0.44, backShare: 0.55, headPower: 0.9, peduncle: 0.25 },
  head: { ...bream.head, mouth: 'end', eyeSize: 0.055, eye: [50, 20, 80], length: 0.2 },
  tail: { ...bream.tail, lowerLobe: 1.05, fork: 0.65, spread: 0.18 },
  anal: { start: 0.66, end: 0.91, height: 0.11, shape: 'concave' },
  finColour: grey,
  pairedFinColour: [14, 60, 52],
  skin: { ...silver, back: [190, 15, 34], flank: [200, 8, 66], scaleSize: 0.066, scaleContrast: 0.5 },
}

const bleak: FishTraits = {
  ...roach,
  body: { depth: 0.19, peak: 0.42, backShare: 0.38, snout: 0.14, headPower: 1, tailPower: 1, peduncle: 0.38 },
  head: { ...roach.head, mouth: 'up', mouthSize: 0.07, eyeSize: 0.042, eye: [55, 15, 82], length: 0.2 },
  tail: { ...roach.tail, length: 0.22, fork: 0.8, spread: 0.13 },
  dorsal: [{ start: 0.57, end: 0.66, height: 0.11, shape: 'pointed' }],
  anal: { start: 0.64, end: 0.86, height: 0.085, shape: 'concave' },
  pairedFinSize: 0.1,
  finColour: [70, 15, 62],
  pairedFinColour: [50, 20, 68],
  skin: { ...silver, back: [170, 32, 32], flank: [190, 14, 74], belly: [190, 8, 90], scaleSize: 0.03, scaleContrast: 0.22 },
}

const prussianCarp: FishTraits = {
  ...roach,
  body: { depth: 0.44, peak: 0.42, backShare: 0.55, snout: 0.14, headPower: 0.72, tailPower: 0.9, peduncle: 0.4 },
  head: { ...roach.head, eyeSize: 0.03, eye: [40, 40, 50], length: 0.25 },
  tail: { length: 0.2, spread: 0.17, fork: 0.35, round: true, lowerLobe: 1 },
  dorsal: [{ start: 0.42, end: 0.8, height: 0.13, shape: 'concave' }],
  anal: { start: 0.75, end: 0.86, height: 0.1, shape: 'pointed' },
  finColour: [80, 16, 34],
  pairedFinColour: [60, 18, 42],
  skin: { ...silver, back: [90, 18, 28], flank: [70, 14, 50], scaleSize: 0.088, scaleContrast: 0.75 },
}

const carp: FishTraits = {
  ...prussianCarp,
  body: { depth: 0.33, peak: 0.36, backShare: 0.6, snout: 0.2, headPower: 0.75, tailPower: 0.9, peduncle: 0.4 },
  head: { ...roach.head, mouth: 'down', mouthSize: 0.07, eyeSize: 0.022, eye: [40, 60, 45], length: 0.28, barbels: 2, barbelLength: 0.1 },
  tail: { length: 0.24, spread: 0.19, fork: 0.55, round: true, lowerLobe: 1 },
  dorsal: [{ start: 0.38, end: 0.83, height: 0.175, shape: 'concave' }],
  finColour: [35, 30, 28],
  pairedFinColour: [25, 50, 38],
  skin: { ...silver, back: [42, 38, 24], flank: [40, 52, 42], belly: [44, 48, 66], scaleSize: 0.11, scaleContrast: 0.95 },
}

const tench: FishTraits = {
  ...roach,
  body: { depth: 0.31, peak: 0.42, backShare: 0.52, snout: 0.2, headPower: 0.7, tailPower: 0.75, peduncle: 0.62 },
  head: { ...roach.head, eyeSize: 0.02, eye: red, barbels: 1, barbelLength: 0.05, length: 0.25 },
  tail: { length: 0.2, spread: 0.15, fork: 0.06, round: true, lowerLobe: 1 },
  dorsal: [{ start: 0.46, end: 0.61, height: 0.17, shape: 'round' }],
  anal: { start: 0.72, end: 0.83, height: 0.13, shape: 'round' },
  pairedFinSize: 0.17,
  finColour: [90, 25, 16],
  pairedFinColour: [90, 25, 17],
  skin: { ...silver, back: [85, 35, 16], flank: [65, 42, 28], belly: [50, 55, 50], scaleSize: 0.018, scaleContrast: 0.12 },
}

const gudgeon: FishTraits = {
  ...roach,
  body: { depth: 0.18, peak: 0.3, backShare: 0.62, snout: 0.2, headPower: 0.7, tailPower: 1.1, peduncle: 0.4 },
  head: { ...roach.head, mouth: 'down', mouthSize: 0.06, eyeSize: 0.034, eye: [45, 40, 60], length: 0.25, barbels: 1, barbelLength: 0.09 },
  tail: { length: 0.19, spread: 0.12, fork: 0.5, round: false, lowerLobe: 1 },
  dorsal: [{ start: 0.4, end: 0.5, height: 0.12, shape: 'pointed' }],
  anal: { start: 0.7, end: 0.78, height: 0.08, shape: 'pointed' },
  finColour: [45, 30, 50],
  pairedFinColour: [45, 25, 62],
  skin: { ...silver, back: [40, 25, 32], flank: [45, 20, 60], pattern: 'blotches', marks: [220, 30, 18], count: 7, strength: 0.9, scaleSize: 0.05 },
}

export const carpLike: readonly Species[] = [
  { id: 'abramis_brama', label: 'Common bream (Abramis brama)', traits: bream },
  { id: 'alburnus_alburnus', label: 'Bleak (Alburnus alburnus)', traits: bleak },
  { id: 'blicca_bjoerkna', label: 'White bream (Blicca bjoerkna)', traits: whiteBream },
  { id: 'carassius_gibelio', label: 'Prussian carp (Carassius gibelio)', traits: prussianCarp },
  { id: 'cyprinus_carpio', label: 'Common carp (Cyprinus carpio)', traits: carp },
  { id: 'gobio_gobio', label: 'Gudgeon (Gobio gobio)', traits: gudgeon },
  { id: 'leuciscus_idus', label: 'Ide (Leuciscus idus)', traits: ide },
  { id: 'rutilus_rutilus', label: 'Roach (Rutilus rutilus)', traits: roach },
  { id: 'scardinius_erythrophthalmus', label: 'Rudd (Scardinius erythrophthalmus)', traits: rudd },
  { id: 'tinca_tinca', label: 'Tench (Tinca tinca)', traits: tench },
]
