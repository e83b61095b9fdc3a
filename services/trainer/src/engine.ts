import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import type { EvaluationJob } from './learning/evaluate-on-dataset.ts'
import { evaluateInWorker, trainInWorker } from './learning/run-in-worker.ts'
import type { ReportProgress, TrainedModel, TrainingJob } from './learning/training-job.ts'

export interface EngineOptions {
  readonly report: ReportProgress
  /** Aborting ends the work; the promise rejects only when nothing of it goes on. */
  readonly signal: AbortSignal
}

/**
 * What trains and evaluates: a worker thread here, elsewhere a cluster.
 * @throws AppError as the work does; CANCELLED after an abort
 */
export interface TrainingEngine {
  train(job: TrainingJob, options: EngineOptions): Promise<TrainedModel>
  evaluate(job: EvaluationJob, options: EngineOptions): Promise<Evaluation>
}

export const createThreadEngine = ({ maxHeapMb }: { maxHeapMb: number }): TrainingEngine => ({
  train: (job, options) => trainInWorker(job, { ...options, maxHeapMb }),
  evaluate: (job, options) => evaluateInWorker(job, { ...options, maxHeapMb }),
})
