import { photograph } from '@millrace/sample-fish/draw-fish.ts'
import sharp from 'sharp'
import { INPUT_HEIGHT, INPUT_WIDTH } from './architecture.ts'
import { inventSpecies } from './invent-species.ts'

/** Bytes per picture: RGB planes, one after the other. */
export const PICTURE_BYTES = 3 * INPUT_HEIGHT * INPUT_WIDTH

export interface Creatures {
  /** `count` pictures, NCHW bytes. */
  readonly pictures: Uint8Array
  readonly classes: Int32Array
  readonly count: number
}

/** One picture in five is taken under water, so that the features are of use in both lights. */
const lightOf = (index: number) => (index % 5 === 4 ? 'underwater' : 'daylight')

async function planes(seed: number, species: number, index: number): Promise<Uint8Array> {
  const picture = await photograph(inventSpecies(seed, species), lightOf(index), `creature/${seed}/${species}/${index}`)
  const raw = { width: picture.width, height: picture.height, channels: 3 as const }
  const pixels = await sharp(picture.pixels, { raw }).resize(INPUT_WIDTH, INPUT_HEIGHT, { fit: 'fill' }).raw().toBuffer()
  const size = INPUT_WIDTH * INPUT_HEIGHT
  const planar = new Uint8Array(PICTURE_BYTES)
  for (let i = 0; i < size; i++) for (let c = 0; c < 3; c++) planar[c * size + i] = pixels[i * 3 + c] ?? 0
  return planar
}

/** Draws `perSpecies` pictures, from picture number `first` on, of each of `species` invented creatures. */
export async function drawCreatures(seed: number, species: number, first: number, perSpecies: number): Promise<Creatures> {
  const count = species * perSpecies
  const pictures = new Uint8Array(count * PICTURE_BYTES)
  const classes = Int32Array.from({ length: count }, (_, i) => Math.floor(i / perSpecies))
  let next = 0
  const work = async () => {
    for (let i = next++; i < count; i = next++) pictures.set(await planes(seed, classes[i] ?? 0, first + (i % perSpecies)), i * PICTURE_BYTES)
  }
  await Promise.all([work(), work(), work(), work()])
  return { pictures, classes, count }
}
