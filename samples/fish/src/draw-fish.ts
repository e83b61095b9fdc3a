import sharp from 'sharp'
import { cameras, develop, type Light } from './camera.ts'
import { createRandom } from './random.ts'
import { scene } from './scene.ts'
import { speciesById } from './species.ts'
import type { FishTraits } from './traits.ts'

export interface FishRequest {
  /** Class name of the catalogue, such as `esox_lucius`. */
  readonly species: string
  readonly seed: number
  readonly light: Light
  /** Which picture of this species, seed and light. */
  readonly index?: number
}

/** A picture before compression: RGB bytes, row by row. */
export interface Picture {
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
  readonly quality: number
}

/** Fish of one species are closer to each other than the invented ones that the backbone was trained on. */
const INDIVIDUALITY = 0.5

/** Draws and photographs one fish of the given kind. `key` decides everything that is random, `individuality` how far the fish departs from its kind. */
export async function photograph(kind: FishTraits, light: Light, key: string, individuality = 1): Promise<Picture> {
  const random = createRandom(key)
  const camera = cameras[light]
  const frame = camera.frame(random)
  const svg = scene(kind, frame, camera.view, random, individuality)
  const exposure = camera.expose(random)
  const rendered = sharp(Buffer.from(svg)).flatten()
  const sharpened = exposure.blur > 0 ? rendered.blur(exposure.blur) : rendered
  const pixels = await sharpened.raw().toBuffer()
  develop(pixels, frame, exposure, random)
  return { pixels, width: frame.width, height: frame.height, quality: exposure.quality }
}

/**
 * One JPEG of a drawn fish; the same request gives the same bytes.
 * @throws RangeError when the catalogue has no such species
 */
export async function drawFish({ species, seed, light, index = 0 }: FishRequest): Promise<Buffer> {
  const { pixels, width, height, quality } = await photograph(speciesById(species).traits, light, `${seed}/${light}/${species}/${index}`, INDIVIDUALITY)
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer()
}
