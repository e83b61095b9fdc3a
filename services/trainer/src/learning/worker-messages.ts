import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import type { ErrorCode } from '@millrace/platform/errors.ts'
import type { EvaluationJob } from './evaluate-on-dataset.ts'
import type { TrainedModel, TrainingJob, TrainingProgress } from './training-job.ts'

/** What a learning worker can be asked to do; given as its `workerData`. */
export type LearningTask = { readonly kind: 'train'; readonly job: TrainingJob } | { readonly kind: 'evaluate'; readonly job: EvaluationJob }

export type LearningResult = { readonly kind: 'train'; readonly model: TrainedModel } | { readonly kind: 'evaluate'; readonly evaluation: Evaluation }

/** What a learning worker says: progress as often as it likes, then exactly one of done and failed. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly progress: TrainingProgress }
  | { readonly type: 'done'; readonly result: LearningResult }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string; readonly details: Readonly<Record<string, unknown>>; readonly stack: string }
