import type { Random } from '@millrace/sample-fish/random.ts'
import { INPUT_HEIGHT, INPUT_WIDTH } from './architecture.ts'
import { backbonePreprocessing } from './backbone-file.ts'
import { type Creatures, PICTURE_BYTES } from './draw-creatures.ts'

/** How one picture is changed on its way into a training step. */
export interface Change {
  readonly mirror: boolean
  /** Pixels to the right and down; the edge is repeated. */
  readonly shift: readonly [x: number, y: number]
  /** Factor of each channel. */
  readonly gains: readonly [number, number, number]
}

export const unchanged: Change = { mirror: false, shift: [0, 0], gains: [1, 1, 1] }

export function randomChange(random: Random): Change {
  const level = random.between(0.85, 1.15)
  const gain = () => level * random.between(0.92, 1.08)
  return { mirror: random.chance(0.5), shift: [random.int(-7, 7), random.int(-6, 6)], gains: [gain(), gain(), gain()] }
}

const clamp = (value: number, high: number): number => Math.max(0, Math.min(high, value))

/** Writes one picture as normalised floats, planes of rows, from `at` on. */
export function writePicture(out: Float32Array, at: number, data: Creatures, index: number, change: Change): void {
  const { scale, mean, std } = backbonePreprocessing
  const columns = Int32Array.from({ length: INPUT_WIDTH }, (_, x) => clamp((change.mirror ? INPUT_WIDTH - 1 - x : x) - change.shift[0], INPUT_WIDTH - 1))
  for (let channel = 0; channel < 3; channel++) {
    const factor = (scale * (change.gains[channel] ?? 1)) / (std[channel] ?? 1)
    const offset = (mean[channel] ?? 0) / (std[channel] ?? 1)
    const plane = channel * INPUT_WIDTH * INPUT_HEIGHT
    for (let y = 0; y < INPUT_HEIGHT; y++) {
      const from = index * PICTURE_BYTES + plane + clamp(y - change.shift[1], INPUT_HEIGHT - 1) * INPUT_WIDTH
      const to = at + plane + y * INPUT_WIDTH
      for (let x = 0; x < INPUT_WIDTH; x++) out[to + x] = (data.pictures[from + (columns[x] ?? 0)] ?? 0) * factor - offset
    }
  }
}
