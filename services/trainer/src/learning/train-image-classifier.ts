import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Label } from '@millrace/contracts/model/model-spec.ts'
import { preprocessImage } from '@millrace/platform/model/preprocess-image.ts'
import { type Backbone, openBackbone } from './backbone.ts'
import { buildReferenceProfile } from './build-reference-profile.ts'
import { sha256 } from './dataset-digest.ts'
import { evaluateTestSplit, type TestResult } from './evaluate-test-split.ts'
import { type ExportedModel, exportModel } from './export-model.ts'
import { extractFeatures, type FeatureRow, type FeatureSet } from './extract-features.ts'
import { throwIfCancelled } from './in-order.ts'
import { listDataset, readLabels, type Split } from './list-dataset.ts'
import { parityRowCount } from './model-files.ts'
import { settingsOf } from './settings.ts'
import { startTensorflow } from './tensorflow.ts'
import { type HeadRows, type TrainedHead, trainHead } from './train-head.ts'
import type { ReportProgress, TrainedMetrics, TrainedModel, TrainingJob, TrainingSettings } from './training-job.ts'
import { environmentOf, metricsOf, parametersOf, reproduceCommand } from './training-report.ts'
import { writeReport } from './write-report.ts'

/** What one training has at hand from step to step. */
interface Training {
  readonly settings: TrainingSettings
  readonly report: ReportProgress
  readonly signal: AbortSignal | undefined
  readonly backbone: Backbone
  readonly labels: readonly Label[]
  readonly set: FeatureSet
  readonly warnings: readonly string[]
  readonly startedAt: number
}

/** Rows of one split; the mirror images follow the images. */
function headRows({ rows }: FeatureSet, split: Split): HeadRows {
  const picked = rows.filter(({ file }) => file.split === split)
  const mirrored = picked.flatMap(({ mirrored: features, target }) => (features ? [{ features, target }] : []))
  const all: readonly Pick<FeatureRow, 'features' | 'target'>[] = [...picked, ...mirrored]
  return { features: all.map(({ features }) => features), targets: all.map(({ target }) => target) }
}

async function fitHead({ set, settings, report, signal }: Training): Promise<TrainedHead> {
  await startTensorflow()
  const task = { train: headRows(set, 'train'), val: headRows(set, 'val'), width: set.width, classes: set.dataset.classes.length }
  report({ kind: 'phase', phase: 'training', done: 0, total: settings.epochs })
  return trainHead(
    task,
    settings,
    (epoch) => {
      report({ kind: 'epoch', report: epoch })
      report({ kind: 'phase', phase: 'training', done: epoch.epoch, total: settings.epochs })
    },
    signal,
  )
}

/** Image tensors of test rows, evenly spread over the split, so that several classes are among them. */
async function parityTensors({ set, backbone }: Training): Promise<Float32Array[]> {
  const rows = set.rows.filter(({ file }) => file.split === 'test')
  const { width, height } = backbone.preprocessing
  const count = Math.min(rows.length, parityRowCount(width * height * 3))
  const picked = Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)])
  const tensors: Float32Array[] = []
  for (const row of picked) if (row) tensors.push(await preprocessImage(await readFile(row.file.path), backbone.preprocessing))
  return tensors
}

async function writeModel(training: Training, head: TrainedHead, test: TestResult): Promise<ExportedModel> {
  const { backbone, labels, set, settings } = training
  return exportModel({
    backbone,
    labels,
    weights: head.weights,
    pooling: set.pooling,
    tensors: await parityTensors(training),
    profile: buildReferenceProfile(set.dataset.digest, 'test', set.dataset.classes, test.profileRows),
    evaluation: test.evaluation,
    modelDir: join(settings.outputDir, 'model'),
  })
}

function runMetrics({ set, startedAt }: Training, head: TrainedHead, test: TestResult, model: ExportedModel): TrainedMetrics {
  return metricsOf(test, set.dataset.classes, {
    best_epoch: head.bestEpoch,
    model_size_bytes: model.sizeBytes,
    inference_latency_ms: model.latencyMs,
    training_time_s: (performance.now() - startedAt) / 1000,
    peak_memory_mb: process.resourceUsage().maxRSS / 1024,
  })
}

async function finish(training: Training, head: TrainedHead, test: TestResult, model: ExportedModel): Promise<TrainedModel> {
  const { settings, set, backbone, labels, warnings } = training
  const [parameters, metrics] = [parametersOf(settings), runMetrics(training, head, test, model)]
  const reportDir = join(settings.outputDir, 'report')
  const reportFiles = await writeReport(reportDir, {
    schemaVersion: 1,
    origin: settings.origin,
    parameters,
    dataset: { ...set.dataset, root: settings.dataRoot },
    backbone: { file: basename(settings.backbonePath), sha256: sha256(backbone.bytes), features: set.width },
    headSha256: model.headSha256,
    metrics,
    epochs: head.epochs,
    classes: labels.map((label, i) => ({ ...label, recall: test.recall[i] ?? null })),
    confusion: test.confusion,
    environment: environmentOf(),
    warnings,
    reproduce: reproduceCommand(settings),
  })
  const { files: modelFiles, headSha256 } = model
  return {
    modelDir: join(settings.outputDir, 'model'),
    modelFiles,
    reportDir,
    reportFiles,
    dataset: set.dataset,
    parameters,
    metrics,
    epochs: head.epochs,
    headSha256,
  }
}

/** Head, evaluation, artifact, report: all that follows once the features are there. */
async function learn(training: Training): Promise<TrainedModel> {
  const head = await fitHead(training)
  throwIfCancelled(training.signal)
  training.report({ kind: 'phase', phase: 'exporting', done: 0, total: 1 })
  const test = evaluateTestSplit(head.weights, training.set)
  return finish(training, head, test, await writeModel(training, head, test))
}

/**
 * Trains an image classifier on a folder: features by the frozen backbone (onnxruntime), a head on them (tfjs), both exported as a chain of ONNX files with all
 * that a pod needs to serve it, and a report. The same seed, data and backbone give the same `head.onnx` to the bit.
 * Blocks the thread for long stretches: run it with `runInWorker`.
 * @throws AppError INVALID_PARAMETER_VALUE (data, backbone, settings), CANCELLED
 */
export async function trainImageClassifier(job: TrainingJob, report: ReportProgress, signal?: AbortSignal): Promise<TrainedModel> {
  const startedAt = performance.now()
  const settings = settingsOf(job)
  const warnings: string[] = []
  const noting: ReportProgress = (progress) => {
    if (progress.kind === 'warning') warnings.push(progress.message)
    report(progress)
  }
  const listing = await listDataset(settings.dataRoot)
  const labels = await readLabels(listing)
  const backbone = await openBackbone(settings.backbonePath)
  try {
    const set = await extractFeatures(backbone, listing, { mirror: settings.mirror, report: noting, signal })
    return await learn({ settings, report: noting, signal, backbone, labels, set, warnings, startedAt })
  } finally {
    await backbone.chain.release()
  }
}
