import { cpus, totalmem } from 'node:os'
import { basename } from 'node:path'
import type { TestResult } from './evaluate-test-split.ts'
import { defaultBackbonePath } from './settings.ts'
import type { DatasetSummary, EpochReport, TrainedMetrics, TrainingSettings } from './training-job.ts'

/** `training-report.json`: all that is needed to judge the run and to do it again. */
export interface TrainingReport {
  readonly schemaVersion: 1
  readonly origin: Readonly<Record<string, string>>
  readonly parameters: Readonly<Record<string, string>>
  readonly dataset: DatasetSummary & { readonly root: string }
  readonly backbone: { readonly file: string; readonly sha256: string; readonly features: number }
  readonly headSha256: string
  readonly metrics: TrainedMetrics
  readonly epochs: readonly EpochReport[]
  readonly classes: readonly { readonly class: string; readonly label: string; readonly recall: number | null }[]
  readonly confusion: readonly (readonly number[])[]
  readonly environment: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
  readonly reproduce: string
}

/** What the weights may depend on beside code, data and seed. */
export function environmentOf(): Record<string, string> {
  const [cpu] = cpus()
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: `${cpus().length} x ${cpu?.model ?? 'unknown'}`,
    memory_mb: String(Math.round(totalmem() / 1_048_576)),
    onnxruntime: process.versions['onnxruntime'] ?? 'onnxruntime-node, one thread',
    tfjs_backend: 'wasm, one thread',
  }
}

/** Flat parameters, as they are logged with the run. */
export function parametersOf(settings: TrainingSettings): Record<string, string> {
  const { dataRoot: _root, outputDir: _output, origin: _origin, backbonePath, ...rest } = settings
  const named = Object.entries(rest).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), String(value)])
  return { ...Object.fromEntries(named), backbone: basename(backbonePath), optimizer: 'adam' }
}

type OtherMetrics = Pick<TrainedMetrics, 'best_epoch' | 'model_size_bytes' | 'inference_latency_ms' | 'training_time_s' | 'peak_memory_mb'>

/** The metrics of a run; a class without test rows has no recall. */
export function metricsOf(test: TestResult, classes: readonly string[], rest: OtherMetrics): TrainedMetrics {
  const recall = classes.flatMap((name, i) => {
    const value = test.recall[i]
    return typeof value === 'number' ? [[`recall.${name}`, value] as const] : []
  })
  return { test_accuracy: test.accuracy, test_loss: test.loss, ...Object.fromEntries(recall), ...rest }
}

/** The request that trains the same model again on the same data. */
export function reproduceCommand({ dataRoot, seed, epochs, batchSize, learningRate, hiddenUnits, backbonePath, origin }: TrainingSettings): string {
  const { model = '<model>' } = origin
  const backbone = backbonePath === defaultBackbonePath ? {} : { backbone: backbonePath }
  const parameters = { seed, epochs, batchSize, learningRate, hiddenUnits, ...backbone }
  return `POST /api/v1/training/jobs ${JSON.stringify({ model, dataset: dataRoot, parameters })}`
}
