import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Light } from './camera.ts'
import { drawFish } from './draw-fish.ts'
import { speciesCatalogue } from './species.ts'

export interface DatasetOptions {
  /** Folder that receives `train/`, `val/`, `test/` and `labels.json`; made where it is missing. Pictures that are there stay. */
  readonly root: string
  readonly seed: number
  readonly light: Light
  /** Pictures per species over the three splits (default 100). */
  readonly imagesPerClass?: number
  /** Pictures that are drawn at a time (default 4). */
  readonly concurrency?: number
}

export interface DatasetCounts {
  readonly classes: number
  readonly train: number
  readonly val: number
  readonly test: number
}

type Split = 'train' | 'val' | 'test'

/** 80/10/10 by position: of every ten pictures the ninth goes to `val` and the tenth to `test`. */
const splitOf = (index: number): Split => (index % 10 === 8 ? 'val' : index % 10 === 9 ? 'test' : 'train')

interface Task {
  readonly species: string
  readonly index: number
  readonly split: Split
}

function tasksOf(imagesPerClass: number): Task[] {
  return speciesCatalogue.flatMap(({ id }) => Array.from({ length: imagesPerClass }, (_, index) => ({ species: id, index, split: splitOf(index) })))
}

async function makeFolders(root: string): Promise<void> {
  const folders = (['train', 'val', 'test'] as const).flatMap((split) => speciesCatalogue.map(({ id }) => join(root, split, id)))
  for (const folder of folders) await mkdir(folder, { recursive: true })
  const labels = Object.fromEntries(speciesCatalogue.map(({ id, label }) => [id, label]))
  await writeFile(join(root, 'labels.json'), `${JSON.stringify(labels, null, 2)}\n`)
}

/**
 * Draws a data set of fish as `root/{train,val,test}/<class>/<light>-<seed>-<number>.jpg`, the same files for the same seed.
 * Pictures of another light or seed can be added to the same root: their names differ.
 * @throws RangeError when `imagesPerClass` is not a whole number of at least 1
 */
export async function drawDataset({ root, seed, light, imagesPerClass = 100, concurrency = 4 }: DatasetOptions): Promise<DatasetCounts> {
  if (!Number.isInteger(imagesPerClass) || imagesPerClass < 1)
    throw new RangeError(`imagesPerClass must be a whole number of at least 1, not ${imagesPerClass}`)
  await makeFolders(root)
  const tasks = tasksOf(imagesPerClass)
  let position = 0
  const work = async () => {
    for (let task = tasks[position++]; task; task = tasks[position++]) {
      const name = `${light}-${seed}-${String(task.index).padStart(4, '0')}.jpg`
      await writeFile(join(root, task.split, task.species, name), await drawFish({ species: task.species, seed, light, index: task.index }))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const count = (split: Split) => tasks.filter((task) => task.split === split).length
  return { classes: speciesCatalogue.length, train: count('train'), val: count('val'), test: count('test') }
}
