import { setImmediate } from 'node:timers/promises'
import {
  type AdamOptimizer,
  add,
  log,
  mean,
  mul,
  neg,
  reshape,
  type Scalar,
  softmax,
  square,
  sum,
  type Tensor,
  type Tensor2D,
  tensor2d,
  tidy,
  train,
} from '@tensorflow/tfjs-core'
import { createNetwork, disposeNetwork, type HeadNetwork, logits, predictProbabilities, readWeights, stackRows } from './head-network.ts'
import { type HeadWeights, initialLayers, standardise } from './head-weights.ts'
import { throwIfCancelled } from './in-order.ts'
import { scoreOf } from './scores.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'
import type { EpochReport, TrainingSettings } from './training-job.ts'

/** Features with the class of each row. */
export interface HeadRows {
  readonly features: readonly Float32Array[]
  readonly targets: readonly number[]
}

export interface HeadTask {
  readonly train: HeadRows
  readonly val: HeadRows
  readonly width: number
  readonly classes: number
}

export interface TrainedHead {
  readonly weights: HeadWeights
  readonly epochs: readonly EpochReport[]
  readonly bestEpoch: number
}

/** Target of the right class; the rest is spread over all, so that the head does not grow certain without bound. */
const SMOOTHING = 0.05

interface Loop {
  readonly network: HeadNetwork
  readonly task: HeadTask
  readonly settings: TrainingSettings
  readonly optimizer: AdamOptimizer
  readonly order: SeededRandom
  readonly dropout: SeededRandom
}

function oneHot(targets: readonly number[], classes: number): Tensor2D {
  const values = new Float32Array(targets.length * classes).fill(SMOOTHING / classes)
  for (const [i, target] of targets.entries()) values[i * classes + target] = 1 - SMOOTHING + SMOOTHING / classes
  return tensor2d(values, [targets.length, classes])
}

function batchLoss({ network, settings, task, dropout }: Loop, features: Tensor2D, targets: readonly number[]): Scalar {
  const scores = logits(network, features, { share: settings.dropout, random: dropout })
  const likelihood = log(add(softmax(scores), 1e-7))
  const fit = neg(mean(sum(mul(likelihood, oneHot(targets, task.classes)), 1)))
  const kernels = network.variables.filter(({ rank }) => rank === 2).map((kernel): Tensor => sum(square(kernel)))
  const penalty = kernels.reduce((total, part) => add(total, part))
  return reshape(add(fit, mul(penalty, settings.weightDecay)), [])
}

/** One pass over the training rows in a fresh seeded order; tfjs' own shuffling cannot be seeded. */
function trainEpoch(loop: Loop): void {
  const { task, settings, optimizer } = loop
  const order = loop.order.permutation(task.train.features.length)
  for (let start = 0; start < order.length; start += settings.batchSize) {
    const picked = [...order.subarray(start, start + settings.batchSize)]
    tidy(() => {
      const features = stackRows(
        picked.flatMap((row) => task.train.features[row] ?? []),
        task.width,
      )
      const targets = picked.map((row) => task.train.targets[row] ?? 0)
      optimizer.minimize(() => batchLoss(loop, features, targets))
    })
  }
}

function reportOf({ network, task }: Loop, epoch: number): EpochReport {
  const score = ({ features, targets }: HeadRows) => scoreOf(predictProbabilities(network, features, task.width), targets, task.classes)
  const [fit, held] = [score(task.train), score(task.val)]
  return { epoch, loss: fit.loss, accuracy: fit.accuracy, val_loss: held.loss, val_accuracy: held.accuracy }
}

function startLoop(task: HeadTask, settings: TrainingSettings): Loop {
  const { seed, hiddenUnits, learningRate } = settings
  const initial = { ...standardise(task.train.features, task.width), layers: initialLayers(task.width, hiddenUnits, task.classes, seed) }
  return {
    network: createNetwork(initial),
    task,
    settings,
    optimizer: train.adam(learningRate),
    order: seededRandom(seed, 'order'),
    dropout: seededRandom(seed, 'dropout'),
  }
}

async function runEpochs(loop: Loop, onEpoch: (report: EpochReport) => void, signal: AbortSignal | undefined): Promise<TrainedHead> {
  const epochs: EpochReport[] = []
  let best: { loss: number; epoch: number; weights: HeadWeights } | null = null
  for (let epoch = 1; epoch <= loop.settings.epochs; epoch++) {
    await setImmediate()
    throwIfCancelled(signal)
    trainEpoch(loop)
    const report = reportOf(loop, epoch)
    epochs.push(report)
    onEpoch(report)
    if (!best || report.val_loss < best.loss) best = { loss: report.val_loss, epoch, weights: readWeights(loop.network) }
    if (epoch - best.epoch >= loop.settings.patience) break
  }
  if (!best) throw new Error('The head was trained for no epoch')
  return { weights: best.weights, epochs, bestEpoch: best.epoch }
}

/**
 * Trains a softmax head on features with Adam, label smoothing and early stopping; keeps the weights of the epoch with the lowest validation loss.
 * Losses that are reported are plain cross-entropy without dropout, on the training rows and the validation rows alike.
 * @throws AppError CANCELLED
 */
export async function trainHead(
  task: HeadTask,
  settings: TrainingSettings,
  onEpoch: (report: EpochReport) => void,
  signal?: AbortSignal,
): Promise<TrainedHead> {
  const loop = startLoop(task, settings)
  try {
    return await runEpochs(loop, onEpoch, signal)
  } finally {
    loop.optimizer.dispose()
    disposeNetwork(loop.network)
  }
}
