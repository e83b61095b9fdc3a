import { beforeAll, expect, test } from 'vitest'
import { seededRandom } from './seeded-random.ts'
import { settingsOf } from './settings.ts'
import { startTensorflow } from './tensorflow.ts'
import { type HeadRows, trainHead } from './train-head.ts'

const WIDTH = 6
const settings = settingsOf({ dataRoot: '', outputDir: '', seed: 4, epochs: 12, patience: 12, batchSize: 16, hiddenUnits: 8 })

/** Three clouds of points, a little apart. */
function clouds(count: number, key: string): HeadRows {
  const random = seededRandom(9, key)
  const targets = Array.from({ length: count }, (_, i) => i % 3)
  return { targets, features: targets.map((target) => Float32Array.from({ length: WIDTH }, (_, i) => random.normal() + (i % 3 === target ? 2.5 : 0))) }
}

const task = { train: clouds(150, 'train'), val: clouds(60, 'val'), width: WIDTH, classes: 3 }

beforeAll(startTensorflow)

test('a head learns what can be learned, and reports each epoch once', async () => {
  const seen: number[] = []
  const { epochs, bestEpoch } = await trainHead(task, settings, ({ epoch }) => seen.push(epoch))
  expect(seen).toEqual(epochs.map(({ epoch }) => epoch))
  expect(epochs[bestEpoch - 1]?.val_accuracy).toBeGreaterThan(0.9)
})

test('the same seed gives the same weights to the bit, another seed other weights', async () => {
  const weights = async (seed: number) => (await trainHead(task, { ...settings, seed }, () => {})).weights
  const first = await weights(4)
  expect(await weights(4)).toEqual(first)
  expect((await weights(5)).layers[0]?.kernel).not.toEqual(first.layers[0]?.kernel)
})

test('training stops when validation no longer gets better, and keeps the best epoch', async () => {
  const noise = { ...task, val: { ...task.val, targets: task.val.targets.map((target) => (target + 1) % 3) } }
  const { epochs, bestEpoch } = await trainHead(noise, { ...settings, epochs: 200, patience: 3 }, () => {})
  expect(epochs).toHaveLength(bestEpoch + 3)
  expect(Math.min(...epochs.map(({ val_loss }) => val_loss))).toBe(epochs[bestEpoch - 1]?.val_loss)
})

test('a linear head is a hidden layer of zero units', async () => {
  const { weights } = await trainHead(task, { ...settings, hiddenUnits: 0 }, () => {})
  expect(weights.layers.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([[WIDTH, 3]])
})

test('an aborted signal ends the training', async () => {
  await expect(trainHead(task, settings, () => {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' })
})
