import type { FishTraits, Species } from './traits.ts'

const perch: FishTraits = {
  body: { depth: 0.31, peak: 0.34, backShare: 0.62, snout: 0.14, headPower: 0.85, tailPower: 1, peduncle: 0.3 },
  head: { length: 0.27, mouth: 'end', mouthSize: 0.09, eyeSize: 0.034, eye: [45, 70, 50], barbels: 0, barbelLength: 0 },
  tail: { length: 0.2, spread: 0.14, fork: 0.4, round: false, lowerLobe: 1 },
  dorsal: [
    { start: 0.29, end: 0.58, height: 0.18, shape: 'spiny' },
    { start: 0.62, end: 0.8, height: 0.13, shape: 'pointed' },
  ],
  anal: { start: 0.69, end: 0.81, height: 0.12, shape: 'pointed' },
  pelvic: 0.35,
  pairedFinSize: 0.14,
  finColour: [80, 20, 34],
  pairedFinColour: [8, 85, 48],
  skin: {
    back: [95, 32, 24],
    flank: [72, 38, 46],
    belly: [55, 30, 76],
    pattern: 'bars',
    marks: [110, 35, 13],
    count: 6,
    strength: 0.8,
    scaleSize: 0.028,
    scaleContrast: 0.25,
  },
}

const zander: FishTraits = {
  ...perch,
  body: { depth: 0.205, peak: 0.36, backShare: 0.58, snout: 0.12, headPower: 1, tailPower: 1, peduncle: 0.38 },
  head: { length: 0.29, mouth: 'end', mouthSize: 0.15, eyeSize: 0.03, eye: [60, 10, 82], barbels: 0, barbelLength: 0 },
  tail: { length: 0.19, spread: 0.14, fork: 0.45, round: false, lowerLobe: 1 },
  dorsal: [
    { start: 0.33, end: 0.57, height: 0.165, shape: 'spiny' },
    { start: 0.6, end: 0.84, height: 0.14, shape: 'pointed' },
  ],
  anal: { start: 0.67, end: 0.79, height: 0.09, shape: 'pointed' },
  finColour: [60, 15, 45],
  pairedFinColour: [55, 20, 62],
  skin: { ...perch.skin, back: [90, 18, 30], flank: [80, 12, 54], marks: [80, 20, 20], count: 11, strength: 0.78 },
}

const ruffe: FishTraits = {
  ...perch,
  body: { depth: 0.27, peak: 0.3, backShare: 0.62, snout: 0.24, headPower: 0.62, tailPower: 1.1, peduncle: 0.3 },
  head: { length: 0.3, mouth: 'down', mouthSize: 0.07, eyeSize: 0.05, eye: [270, 25, 40], barbels: 0, barbelLength: 0 },
  tail: { length: 0.19, spread: 0.12, fork: 0.25, round: true, lowerLobe: 1 },
  dorsal: [
    { start: 0.28, end: 0.64, height: 0.2, shape: 'spiny' },
    { start: 0.62, end: 0.85, height: 0.12, shape: 'round' },
  ],
  finColour: [50, 28, 44],
  pairedFinColour: [45, 25, 60],
  skin: { ...perch.skin, back: [50, 35, 26], flank: [48, 36, 44], pattern: 'speckles', marks: [40, 40, 12], count: 120, strength: 0.9 },
}

const pike: FishTraits = {
  body: { depth: 0.165, peak: 0.5, backShare: 0.5, snout: 0.22, headPower: 1.25, tailPower: 0.8, peduncle: 0.42 },
  head: { length: 0.3, mouth: 'end', mouthSize: 0.17, eyeSize: 0.02, eye: [48, 80, 52], barbels: 0, barbelLength: 0 },
  tail: { length: 0.17, spread: 0.14, fork: 0.5, round: false, lowerLobe: 1 },
  dorsal: [{ start: 0.75, end: 0.9, height: 0.12, shape: 'round' }],
  anal: { start: 0.77, end: 0.9, height: 0.11, shape: 'round' },
  pelvic: 0.55,
  pairedFinSize: 0.1,
  finColour: [25, 45, 36],
  pairedFinColour: [25, 50, 42],
  skin: {
    back: [95, 38, 20],
    flank: [80, 38, 34],
    belly: [55, 35, 74],
    pattern: 'spots',
    marks: [60, 55, 72],
    count: 46,
    strength: 0.85,
    scaleSize: 0.02,
    scaleContrast: 0.15,
  },
}

const catfish: FishTraits = {
  ...pike,
  body: { depth: 0.2, peak: 0.2, backShare: 0.5, snout: 0.42, headPower: 0.45, tailPower: 1.15, peduncle: 0.22 },
  head: { length: 0.22, mouth: 'end', mouthSize: 0.12, eyeSize: 0.012, eye: [50, 40, 60], barbels: 2, barbelLength: 0.26 },
  tail: { length: 0.1, spread: 0.06, fork: 0, round: true, lowerLobe: 1 },
  dorsal: [{ start: 0.3, end: 0.35, height: 0.08, shape: 'pointed' }],
  anal: { start: 0.45, end: 0.98, height: 0.085, shape: 'round' },
  pelvic: 0.4,
  finColour: [230, 14, 20],
  pairedFinColour: [230, 14, 24],
  skin: {
    back: [220, 16, 18],
    flank: [80, 14, 34],
    belly: [45, 22, 70],
    pattern: 'marble',
    marks: [210, 20, 12],
    count: 26,
    strength: 0.6,
    scaleSize: 0,
    scaleContrast: 0,
  },
}

export const predators: readonly Species[] = [
  { id: 'esox_lucius', label: 'Northern pike (Esox lucius)', traits: pike },
  { id: 'gymnocephalus_cernua', label: 'Ruffe (Gymnocephalus cernua)', traits: ruffe },
  { id: 'perca_fluviatilis', label: 'European perch (Perca fluviatilis)', traits: perch },
  { id: 'sander_lucioperca', label: 'Zander (Sander lucioperca)', traits: zander },
  { id: 'silurus_glanis', label: 'Wels catfish (Silurus glanis)', traits: catfish },
]
