import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '@millrace/platform/errors.ts'
import type { EngineOptions, TrainingEngine } from '../engine.ts'
import { datasetDigest } from '../learning/dataset-digest.ts'
import { listDataset } from '../learning/list-dataset.ts'
import type { TrainedModel, TrainingJob } from '../learning/training-job.ts'

/** An engine that learns nothing, quickly, and does as it is told. */
export class FakeEngine implements TrainingEngine {
  readonly trained: TrainingJob[] = []
  readonly failures: unknown[] = []
  /** While true, training goes on until it is aborted or this turns false. */
  hold = false
  /** How many trainings are going on at this moment, and the most there were. */
  active = 0
  mostActive = 0

  async train(job: TrainingJob, options: EngineOptions): Promise<TrainedModel> {
    this.trained.push(job)
    this.active += 1
    this.mostActive = Math.max(this.mostActive, this.active)
    try {
      return await this.#learn(job, options)
    } finally {
      this.active -= 1
    }
  }

  async #learn(job: TrainingJob, { report, signal }: EngineOptions): Promise<TrainedModel> {
    report({ kind: 'phase', phase: 'reading', done: 0, total: 4 })
    for (const epoch of [1, 2]) report({ kind: 'epoch', report: { epoch, loss: 1 / epoch, accuracy: 0.5, val_loss: 1 / epoch, val_accuracy: 0.5 } })
    report({ kind: 'warning', message: '1 unreadable image' })
    while (this.isHeld() && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5))
    if (signal.aborted) throw new AppError('CANCELLED', 'The training was cancelled')
    const failure = this.failures.shift()
    if (failure) throw failure
    return writeModel(job)
  }

  isHeld(): boolean {
    return this.hold
  }

  async evaluate({ dataRoot }: { dataRoot: string }) {
    const failure = this.failures.shift()
    if (failure) throw failure
    const listing = await listDataset(dataRoot)
    const rows = listing.files
      .filter(({ split }) => split === 'test')
      .map(({ id, class: actual }) => ({ id, actual, predicted: listing.classes[0] ?? '', confidence: 0.5 }))
    return { datasetDigest: await datasetDigest(listing), split: 'test', classes: [...listing.classes], rows }
  }
}

async function writeModel({ dataRoot, outputDir, seed }: TrainingJob): Promise<TrainedModel> {
  const listing = await listDataset(dataRoot)
  const write = async (folder: string, files: readonly string[]): Promise<string> => {
    const path = join(outputDir, folder)
    await mkdir(path, { recursive: true })
    for (const file of files) await writeFile(join(path, file), `${folder}/${file} ${seed}`)
    return path
  }
  const [modelFiles, reportFiles] = [['millrace-model.json', 'head.onnx', 'evaluation.json'], ['training-report.html']]
  return {
    ...{ modelDir: await write('model', modelFiles), modelFiles, reportDir: await write('report', reportFiles), reportFiles },
    dataset: { digest: await datasetDigest(listing), classes: listing.classes, rows: { train: 2, val: 2, test: 2 }, unreadable: [], bytes: 6 },
    parameters: { seed: String(seed) },
    metrics: {
      ...{ test_accuracy: 0.9, test_loss: 0.3, best_epoch: 2, model_size_bytes: 10, inference_latency_ms: 1, training_time_s: 1, peak_memory_mb: 100 },
      ...{ 'recall.Salmo (trutta)': 1, odd: Number.NaN },
    },
    ...{ epochs: [], headSha256: 'f'.repeat(64) },
  }
}
