import { createRandom } from '@millrace/sample-fish/random.ts'
import { speciesCatalogue } from '@millrace/sample-fish/species.ts'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { FEATURES, INPUT_HEIGHT, INPUT_WIDTH, initialWeights, type Weight } from './architecture.ts'
import { inventSpecies } from './invent-species.ts'
import { trainingGraph } from './training-graph.ts'

const BATCH = 2
const CLASSES = 3
const random = createRandom('gradient')

const weights: Weight[] = [
  ...initialWeights(3),
  { name: 'classifier.weight', dims: [FEATURES, CLASSES], data: Float32Array.from({ length: FEATURES * CLASSES }, () => random.normal(0, 0.1)) },
  { name: 'classifier.bias', dims: [CLASSES], data: new Float32Array(CLASSES) },
]
const image = new Tensor(
  'float32',
  Float32Array.from({ length: BATCH * 3 * INPUT_HEIGHT * INPUT_WIDTH }, () => random.normal(0, 1)),
  [BATCH, 3, INPUT_HEIGHT, INPUT_WIDTH],
)
const target = new Tensor('float32', Float32Array.of(1, 0, 0, 0, 0.2, 0.8), [BATCH, CLASSES])

async function evaluate(session: InferenceSession, changed: readonly Weight[]): Promise<(name: string) => Float32Array> {
  const feeds: Record<string, Tensor> = { image, target }
  for (const { name, dims, data } of changed) feeds[name] = new Tensor('float32', data, dims)
  const out = await session.run(feeds)
  return (name) => Float32Array.from(Object.values(out[name]?.data ?? []), Number)
}

/** The weights with one of them moved by `step` along a direction. */
const moved = (name: string, direction: Float32Array, step: number): Weight[] =>
  weights.map((weight) => (weight.name === name ? { ...weight, data: weight.data.map((value, i) => value + step * (direction[i] ?? 0)) } : weight))

test('the gradient of every weight is the slope of the loss along it', async () => {
  const session = await InferenceSession.create(trainingGraph(BATCH, CLASSES, weights), { intraOpNumThreads: 1 })
  const at = await evaluate(session, weights)
  for (const { name } of weights) {
    const gradient = at(`d.${name}`)
    const length = Math.hypot(...gradient)
    const direction = gradient.map((value) => value / length)
    const step = 2e-3
    const loss = async (sign: number) => (await evaluate(session, moved(name, direction, sign * step)))('loss')[0] ?? Number.NaN
    const slope = ((await loss(1)) - (await loss(-1))) / (2 * step)
    expect(slope / length, name).toBeGreaterThan(0.95)
    expect(slope / length, name).toBeLessThan(1.05)
  }
  await session.release()
})

test('invented species are the same for the same seed, differ from each other, and none is a species of the sample', () => {
  const invented = Array.from({ length: 300 }, (_, i) => inventSpecies(20, i))
  expect(inventSpecies(20, 7)).toEqual(invented[7])
  expect(new Set(invented.map((traits) => JSON.stringify(traits))).size).toBe(300)
  for (const { traits } of speciesCatalogue) expect(invented).not.toContainEqual(traits)
})
