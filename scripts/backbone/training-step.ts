import { createRandom } from '@millrace/sample-fish/random.ts'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { createAdam } from './adam.ts'
import { FEATURES, INPUT_HEIGHT, INPUT_WIDTH, type Weight } from './architecture.ts'
import { randomChange, unchanged, writePicture } from './augment.ts'
import { type Creatures, PICTURE_BYTES } from './draw-creatures.ts'
import { trainingGraph } from './training-graph.ts'

export interface Stepper {
  /** One step of Adam on the given pictures; they are mirrored and lit at random. */
  train(data: Creatures, picked: Int32Array, rate: number, key: string): Promise<{ loss: number; hits: number }>
  accuracy(data: Creatures): Promise<number>
}

interface StepperOptions {
  readonly batch: number
  readonly classes: number
  /** Weights of the backbone; changed in place. */
  readonly weights: readonly Weight[]
  readonly seed: number
}

const SMOOTHING = 0.05

function classifierWeights(classes: number, seed: number): Weight[] {
  const random = createRandom(`classifier/${seed}`)
  const kernel = Float32Array.from({ length: FEATURES * classes }, () => random.normal(0, Math.sqrt(1 / FEATURES)))
  return [
    { name: 'classifier.weight', dims: [FEATURES, classes], data: kernel },
    { name: 'classifier.bias', dims: [classes], data: new Float32Array(classes) },
  ]
}

const argmax = (row: Float32Array): number => row.reduce((best, value, i) => (value > (row[best] ?? 0) ? i : best), 0)

/** Compiles the training step for a fixed batch and keeps the optimiser's state. */
export async function createStepper({ batch, classes, weights: backbone, seed }: StepperOptions): Promise<Stepper> {
  const weights = [...backbone, ...classifierWeights(classes, seed)]
  const adam = createAdam(weights)
  const session = await InferenceSession.create(trainingGraph(batch, classes, weights), { intraOpNumThreads: 2 })
  const images = new Float32Array(batch * PICTURE_BYTES)
  const targets = new Float32Array(batch * classes)

  const run = (wanted: readonly string[]) => {
    const feeds: Record<string, Tensor> = {
      image: new Tensor('float32', images, [batch, 3, INPUT_HEIGHT, INPUT_WIDTH]),
      target: new Tensor('float32', targets, [batch, classes]),
    }
    for (const { name, dims, data } of weights) feeds[name] = new Tensor('float32', data, dims)
    return session.run(feeds, wanted)
  }
  const floats = (value: Tensor | undefined): Float32Array => (value?.data instanceof Float32Array ? value.data : new Float32Array())
  const hitsOf = (probabilities: Float32Array, data: Creatures, picked: Int32Array): number =>
    picked.reduce((hits, index, i) => hits + (argmax(probabilities.subarray(i * classes, (i + 1) * classes)) === data.classes[index] ? 1 : 0), 0)

  return {
    async train(data, picked, rate, key) {
      const random = createRandom(`light/${key}`)
      targets.fill(SMOOTHING / classes)
      for (const [i, index] of picked.entries()) {
        writePicture(images, i * PICTURE_BYTES, data, index, randomChange(random))
        targets[i * classes + (data.classes[index] ?? 0)] = 1 - SMOOTHING
      }
      const out = await run(session.outputNames)
      adam(
        weights.map(({ name }) => floats(out[`d.${name}`])),
        rate,
      )
      return { loss: floats(out['loss'])[0] ?? Number.NaN, hits: hitsOf(floats(out['probabilities']), data, picked) }
    },
    async accuracy(data) {
      let hits = 0
      const whole = Math.floor(data.count / batch)
      for (let b = 0; b < whole; b++) {
        const picked = Int32Array.from({ length: batch }, (_, i) => b * batch + i)
        for (const [i, index] of picked.entries()) writePicture(images, i * PICTURE_BYTES, data, index, unchanged)
        hits += hitsOf(floats((await run(['probabilities']))['probabilities']), data, picked)
      }
      return hits / (whole * batch)
    },
  }
}
