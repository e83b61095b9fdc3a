import type { Frame } from './background.ts'
import type { Random } from './random.ts'
import type { View } from './scene.ts'

/** The light that a picture is taken in; each comes with a camera of its own. */
export type Light = 'daylight' | 'underwater'

/** One exposure: what happens to the scene's colours on the way to the file. Channel values are 0..255. */
export interface Exposure {
  /** Channel factors of light and white balance. */
  readonly gains: readonly [number, number, number]
  /** Colour of the haze, and how much of it lies over the scene (0..1). */
  readonly haze: readonly [number, number, number]
  readonly hazeShare: number
  /** Standard deviation of the sensor's noise. */
  readonly noise: number
  /** Loss of light in the corners (0..1). */
  readonly vignette: number
  /** Standard deviation of the blur in pixels; 0 is sharp. */
  readonly blur: number
  readonly quality: number
}

export interface Camera {
  frame(random: Random): Frame
  readonly view: View
  expose(random: Random): Exposure
}

const daylight: Camera = {
  frame: (random) =>
    random.pick([
      { width: 240, height: 180 },
      { width: 240, height: 160 },
      { width: 240, height: 180 },
      { width: 220, height: 170 },
    ] as const),
  view: { smallest: 0.82, largest: 1, tilt: 6 },
  expose: (random) => {
    const warmth = random.normal(0, 0.09)
    const tint = random.normal(0, 0.05)
    const level = Math.exp(random.normal(0, 0.15))
    return {
      gains: [level * (1 + warmth), level * (1 + tint), level * (1 - warmth)],
      haze: [215, 215, 215],
      hazeShare: random.between(0, 0.1),
      noise: random.between(2, 6),
      vignette: random.between(0, 0.25),
      blur: random.chance(0.4) ? random.between(0.4, 0.9) : 0,
      quality: random.int(80, 92),
    }
  },
}

/** Blue-green light, haze, noise and a wider lens in another frame: what a diver's small camera sees. */
const underwater: Camera = {
  frame: () => ({ width: 256, height: 144 }),
  view: { smallest: 0.58, largest: 0.78, tilt: 12 },
  expose: (random) => ({
    gains: [random.between(0.3, 0.5), random.between(0.72, 0.92), random.between(0.72, 0.95)],
    haze: [random.between(8, 40), random.between(95, 135), random.between(105, 150)],
    hazeShare: random.between(0.38, 0.58),
    noise: random.between(6, 12),
    vignette: random.between(0.35, 0.6),
    blur: random.between(0.5, 1),
    quality: random.int(62, 78),
  }),
}

export const cameras: Record<Light, Camera> = { daylight, underwater }

/** A table of noise drawn once: a Gaussian per pixel would cost more than the drawing. */
const NOISE_SIZE = 16_384
const noiseTable = new Float32Array(NOISE_SIZE)

function fillNoise(): void {
  let state = 12_345
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state + 1) / 4_294_967_297
  }
  for (let i = 0; i < NOISE_SIZE; i++) noiseTable[i] = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}
fillNoise()

/** Applies light, haze, vignette and noise to RGB bytes in place. */
export function develop(pixels: Uint8Array, frame: Frame, exposure: Exposure, random: Random): void {
  const { gains, haze, hazeShare, noise, vignette } = exposure
  const scale = gains.map((gain) => gain * (1 - hazeShare))
  const offset = haze.map((value) => value * hazeShare)
  const clamped = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length)
  for (let y = 0, at = 0; y < frame.height; y++) {
    const dy = y / frame.height - 0.5
    let position = random.int(0, NOISE_SIZE - 1)
    for (let x = 0; x < frame.width; x++) {
      const dx = x / frame.width - 0.5
      const shade = 1 - vignette * 2 * (dx * dx + dy * dy)
      for (let channel = 0; channel < 3; channel++, at++) {
        position = (position + 1) % NOISE_SIZE
        clamped[at] = ((clamped[at] ?? 0) * (scale[channel] ?? 1) + (offset[channel] ?? 0)) * shade + noise * (noiseTable[position] ?? 0)
      }
    }
  }
}
