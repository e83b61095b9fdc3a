import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drawFish } from '@millrace/sample-fish/draw-fish.ts'

/** Three pictures of each class in every split: little to learn from, enough to be trained, gated and served. */
export async function writeTinyDataset(root: string, classes: readonly string[] = ['esox_lucius', 'tinca_tinca']): Promise<void> {
  const splits = ['train', 'val', 'test'] as const
  for (const [place, split] of splits.entries()) {
    for (const species of classes) {
      await mkdir(join(root, split, species), { recursive: true })
      for (const index of [0, 1, 2]) {
        await writeFile(join(root, split, species, `${index}.jpg`), await drawFish({ species, seed: 3, light: 'daylight', index: 3 * place + index }))
      }
    }
  }
}
