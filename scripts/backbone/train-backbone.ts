/** Trains the default backbone on invented creatures and writes it with its preprocessing: `node scripts/backbone/train-backbone.ts [folder]`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom } from '@millrace/sample-fish/random.ts'
import { FEATURES, initialWeights, type Weight } from './architecture.ts'
import { backboneFile, backbonePreprocessing } from './backbone-file.ts'
import { type Creatures, drawCreatures } from './draw-creatures.ts'
import { createStepper, type Stepper } from './training-step.ts'

const SEED = 20
const SPECIES = 300
const PER_SPECIES = 64
const HELD_OUT = 4
const BATCH = 64
const EPOCHS = 13
const PEAK_RATE = 2e-3

const folder = process.argv[2] ?? join(import.meta.dirname, '../../services/trainer/backbone')

function shuffled(count: number, key: string): Int32Array {
  const random = createRandom(key)
  const order = Int32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random.int(0, i)
    const kept = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = kept
  }
  return order
}

/** Rises over the first hundredth of all steps, then falls along a cosine. */
function rateAt(progress: number): number {
  return progress < 0.02 ? (PEAK_RATE * progress) / 0.02 : (PEAK_RATE * (1 + Math.cos(Math.PI * progress))) / 2
}

async function trainEpoch(stepper: Stepper, data: Creatures, epoch: number): Promise<{ loss: number; accuracy: number }> {
  const order = shuffled(data.count, `epoch/${SEED}/${epoch}`)
  const batches = Math.floor(data.count / BATCH)
  let loss = 0
  let hits = 0
  for (let b = 0; b < batches; b++) {
    const result = await stepper.train(data, order.subarray(b * BATCH, (b + 1) * BATCH), rateAt((epoch + b / batches) / EPOCHS), `${SEED}/${epoch}/${b}`)
    loss += result.loss / batches
    hits += result.hits
  }
  return { loss, accuracy: hits / (batches * BATCH) }
}

async function save(weights: readonly Weight[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const bytes = backboneFile(weights)
  await writeFile(join(folder, 'backbone.onnx'), bytes)
  await writeFile(join(folder, 'backbone.json'), `${JSON.stringify(backbonePreprocessing, null, 2)}\n`)
  console.log(`wrote ${join(folder, 'backbone.onnx')}: ${bytes.length} bytes, ${FEATURES} features`)
}

async function main(): Promise<void> {
  const start = performance.now()
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1)
  const train = await drawCreatures(SEED, SPECIES, 0, PER_SPECIES)
  const held = await drawCreatures(SEED, SPECIES, PER_SPECIES, HELD_OUT)
  console.log(`${train.count} + ${held.count} pictures of ${SPECIES} invented species drawn, ${seconds()} s`)
  const weights = initialWeights(SEED)
  const stepper = await createStepper({ batch: BATCH, classes: SPECIES, weights, seed: SEED })
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const { loss, accuracy } = await trainEpoch(stepper, train, epoch)
    const heldAccuracy = await stepper.accuracy(held)
    console.log(`epoch ${epoch + 1}/${EPOCHS}: loss ${loss.toFixed(3)}, accuracy ${accuracy.toFixed(3)}, held out ${heldAccuracy.toFixed(3)}, ${seconds()} s`)
  }
  await save(weights)
}

await main()
