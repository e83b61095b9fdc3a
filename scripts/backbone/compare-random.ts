/**
 * Draws the sample data set and trains a head on it twice per seed: with the shipped backbone and with the same network at random weights.
 * `node scripts/backbone/compare-random.ts [seeds]`, by default seeds 1 to 5. Exits 1 when the difference is under 15 points or an accuracy under 0.90.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drawDataset } from '@millrace/sample-fish/draw-dataset.ts'
import { trainInWorker } from '../../services/trainer/src/learning/run-in-worker.ts'
import { initialWeights } from './architecture.ts'
import { backboneFile, backbonePreprocessing } from './backbone-file.ts'

const seeds = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 2, 3, 4, 5]
const folder = await mkdtemp(join(tmpdir(), 'compare-random-'))

const points = (share: number): string => (100 * share).toFixed(1)

async function writeRandomBackbone(): Promise<string> {
  const path = join(folder, 'random.onnx')
  await writeFile(path, backboneFile(initialWeights(1)))
  await writeFile(join(folder, 'random.json'), JSON.stringify(backbonePreprocessing))
  return path
}

async function accuracy(seed: number, dataRoot: string, backbonePath: string | null): Promise<{ test: number; seconds: number }> {
  const { metrics } = await trainInWorker({ dataRoot, outputDir: join(folder, 'out'), seed, backbonePath })
  return { test: metrics.test_accuracy, seconds: metrics.training_time_s }
}

/** True when both demands are met. */
async function compare(seed: number, randomPath: string): Promise<boolean> {
  const start = performance.now()
  const dataRoot = join(folder, `data-${seed}`)
  await drawDataset({ root: dataRoot, seed, light: 'daylight' })
  const drawn = (performance.now() - start) / 1000
  const shipped = await accuracy(seed, dataRoot, null)
  const random = await accuracy(seed, dataRoot, randomPath)
  console.log(
    `seed ${seed}: shipped ${points(shipped.test)} %, random ${points(random.test)} %, ${points(shipped.test - random.test)} points apart (drawn in ${drawn.toFixed(1)} s, trained in ${shipped.seconds.toFixed(1)} s)`,
  )
  return shipped.test >= 0.9 && shipped.test - random.test >= 0.15
}

try {
  const randomPath = await writeRandomBackbone()
  for (const seed of seeds) if (!(await compare(seed, randomPath))) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}
