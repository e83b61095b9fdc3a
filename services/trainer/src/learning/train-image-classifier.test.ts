import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { evaluation, modelSpec, parityRows, tensorExample } from '@millrace/contracts/model/model-spec.ts'
import { referenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import { openChain } from '@millrace/platform/model/onnx-chain.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { evaluateInWorker, trainInWorker } from './run-in-worker.ts'
import { shapeNames, tinyBackbone, writeShapes } from './testing-shapes.ts'
import { trainImageClassifier } from './train-image-classifier.ts'
import type { TrainedModel, TrainingJob, TrainingProgress } from './training-job.ts'

let folder = ''
let job: TrainingJob
let model: TrainedModel
const progress: TrainingProgress[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'training-'))
  await writeShapes(join(folder, 'data'))
  await writeFile(join(folder, 'data/train/bar/broken.png'), 'no picture')
  await writeFile(join(folder, 'row.onnx'), tinyBackbone('row'))
  await writeFile(join(folder, 'map.onnx'), tinyBackbone('map'))
  job = { dataRoot: join(folder, 'data'), outputDir: join(folder, 'out'), seed: 1, backbonePath: join(folder, 'row.onnx'), epochs: 15, hiddenUnits: 16 }
  model = await trainInWorker(job, { report: (entry) => progress.push(entry) })
})

afterAll(() => rm(folder, { recursive: true }))

const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(model.modelDir, name), 'utf8'))

test('shapes are told apart, and every epoch is reported with its four figures', () => {
  expect(model.metrics.test_accuracy).toBeGreaterThan(0.6)
  const epochs = progress.flatMap((entry) => (entry.kind === 'epoch' ? [entry.report] : []))
  expect(epochs).toEqual(model.epochs)
  expect(Object.keys(epochs[0] ?? {})).toEqual(['epoch', 'loss', 'accuracy', 'val_loss', 'val_accuracy'])
})

test('an unreadable image is left out, counted and told', () => {
  expect(model.dataset).toMatchObject({ rows: { train: 24, val: 9, test: 9 }, unreadable: ['train/bar/broken.png'] })
  expect(progress).toContainEqual({ kind: 'warning', message: expect.stringContaining('train/bar/broken.png: ') })
})

test('all metrics that a run logs are there', () => {
  const names = [
    'test_accuracy',
    'test_loss',
    'best_epoch',
    'model_size_bytes',
    'inference_latency_ms',
    'training_time_s',
    'peak_memory_mb',
    ...shapeNames.map((name) => `recall.${name}`),
  ]
  expect(new Set(Object.keys(model.metrics))).toEqual(new Set(names))
  expect(Object.values(model.metrics).every(Number.isFinite)).toBe(true)
})

test('the artifact describes itself: every file of it parses by its contract', async () => {
  const spec = modelSpec.parse(await json('millrace-model.json'))
  expect(spec.labels?.map((label) => label.class)).toEqual(shapeNames)
  expect(spec.signature.inputs).toMatchObject([{ shape: [-1, 3, 16, 16] }])
  expect(tensorExample.parse(await json('input-example.json')).inputs[0]?.shape).toEqual([1, 3, 16, 16])
  expect(referenceProfile.parse(await json('reference-profile.json'))).toMatchObject({ rows: 9, split: 'test', datasetDigest: model.dataset.digest })
  expect(evaluation.parse(await json('evaluation.json')).rows).toHaveLength(9)
})

test('the exported chain answers what the training runtime answered, within the stored tolerance', async () => {
  const { inputs, outputs, tolerance } = parityRows.parse(await json('parity.json'))
  const chain = await openChain(
    await Promise.all(['backbone.onnx', 'head.onnx'].map(async (name) => ({ name, bytes: await readFile(join(model.modelDir, name)) }))),
  )
  const [answer] = await chain.run(inputs.map((input) => ({ ...input, data: Float32Array.from(input.data) })))
  expect(tolerance).toBe(1e-4)
  expect(answer?.shape).toEqual(outputs[0]?.shape)
  for (const [i, expected] of (outputs[0]?.data ?? []).entries()) expect(Math.abs(Number(answer?.data[i]) - expected)).toBeLessThan(tolerance)
  await chain.release()
})

test('the same seed gives the same head to the bit, in the worker and outside of it', async () => {
  const again = await trainImageClassifier({ ...job, outputDir: join(folder, 'again') }, () => {})
  expect(again.headSha256).toBe(model.headSha256)
  const other = await trainImageClassifier({ ...job, outputDir: join(folder, 'other'), seed: 2 }, () => {})
  expect(other.headSha256).not.toBe(model.headSha256)
})

test('evaluating the exported model on the same folder gives the trainer’s own rows', async () => {
  const again = await evaluateInWorker({ modelDir: model.modelDir, dataRoot: job.dataRoot, split: 'test' })
  const own = evaluation.parse(await json('evaluation.json'))
  expect(again).toMatchObject({ datasetDigest: own.datasetDigest, classes: own.classes })
  expect(again.rows.map(({ id, predicted }) => [id, predicted])).toEqual(own.rows.map(({ id, predicted }) => [id, predicted]))
})

test('the report has its four files and needs nothing from outside', async () => {
  expect(new Set(model.reportFiles)).toEqual(new Set(['confusion-matrix.csv', 'confusion-matrix.png', 'training-report.html', 'training-report.json']))
  const html = await readFile(join(model.reportDir, 'training-report.html'), 'utf8')
  expect(html).toContain('Recall per class')
  expect(html).not.toMatch(/<script|<link|<img|https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
})

test('a backbone that ends in feature maps is pooled in the exported head', async () => {
  const mapped = await trainImageClassifier({ ...job, outputDir: join(folder, 'mapped'), backbonePath: join(folder, 'map.onnx') }, () => {})
  const again = await evaluateInWorker({ modelDir: mapped.modelDir, dataRoot: job.dataRoot, split: 'test' })
  const hits = again.rows.filter(({ actual, predicted }) => actual === predicted).length
  expect(hits / again.rows.length).toBeCloseTo(mapped.metrics.test_accuracy, 9)
})

test('an abort ends the worker with CANCELLED', async () => {
  const controller = new AbortController()
  const training = trainInWorker(
    { ...job, outputDir: join(folder, 'cancelled'), epochs: 10_000, patience: 10_000 },
    { signal: controller.signal, report: (entry) => entry.kind === 'epoch' && controller.abort() },
  )
  await expect(training).rejects.toMatchObject({ code: 'CANCELLED' })
})

test('a worker that outgrows its heap fails alone, and says so', async () => {
  await expect(trainInWorker(job, { maxHeapMb: 4 })).rejects.toMatchObject({ code: 'INTERNAL_ERROR', message: expect.stringContaining('ran out of memory') })
})

test.each([
  ['a folder that is not there', { dataRoot: '/nowhere' }, 'does not exist'],
  ['a backbone that is not there', { backbonePath: '/nowhere.onnx' }, 'cannot be read'],
  ['a setting out of range', { epochs: 0 }, 'epochs must be'],
])('%s is refused through the worker as it is inside', async (_name, change, message) => {
  await expect(trainInWorker({ ...job, ...change })).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining(message) })
})

test('a backbone file that is no ONNX is refused', async () => {
  await writeFile(join(folder, 'text.onnx'), 'hello')
  await expect(trainInWorker({ ...job, backbonePath: join(folder, 'text.onnx') })).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
})
