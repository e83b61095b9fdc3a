import { Worker } from 'node:worker_threads'
import type { Evaluation } from '@millrace/contracts/model/model-spec.ts'
import { AppError, messageOf } from '@millrace/platform/errors.ts'
import type { EvaluationJob } from './evaluate-on-dataset.ts'
import type { ReportProgress, TrainedModel, TrainingJob } from './training-job.ts'
import type { LearningResult, LearningTask, WorkerMessage } from './worker-messages.ts'

export interface WorkerOptions {
  readonly report?: ReportProgress
  /** Aborting ends the worker thread; the promise rejects with CANCELLED once the thread is gone. */
  readonly signal?: AbortSignal
  /** Heap of the worker in MB; past it the training fails instead of the process (default 1024). Tensors live outside the heap. */
  readonly maxHeapMb?: number
}

const cancelled = (signal: AbortSignal | undefined): AppError => new AppError('CANCELLED', 'The training was cancelled', { cause: signal?.reason })

function failed({ code, message, details, stack }: WorkerMessage & { type: 'failed' }): AppError {
  return new AppError(code, message, { details: { ...details }, cause: new Error(stack) })
}

const isOutOfMemory = (cause: unknown): boolean => cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY'

function died(cause: unknown): AppError {
  const why = isOutOfMemory(cause)
    ? 'ran out of memory: use a smaller backbone or batch, or allow it a larger heap'
    : `ended before it had an answer: ${messageOf(cause)}`
  return new AppError('INTERNAL_ERROR', `The training thread ${why}`, { cause })
}

/** Resolves or rejects only when the thread has ended, so that nothing of a cancelled training goes on. */
function settle(worker: Worker, { report = () => {}, signal }: WorkerOptions): Promise<LearningResult> {
  return new Promise((resolve, reject) => {
    let outcome: { result: LearningResult } | { error: AppError } | null = null
    const abort = () => void worker.terminate()
    signal?.addEventListener('abort', abort, { once: true })
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'progress' && !signal?.aborted) report(message.progress)
      if (message.type === 'done') outcome = { result: message.result }
      if (message.type === 'failed') outcome = { error: failed(message) }
    })
    worker.on('error', (error) => {
      outcome ??= { error: died(error) }
    })
    worker.on('exit', (code) => {
      signal?.removeEventListener('abort', abort)
      if (outcome && 'result' in outcome) resolve(outcome.result)
      else if (signal?.aborted) reject(cancelled(signal))
      else reject(outcome?.error ?? died(new Error(`exit code ${code}`)))
    })
  })
}

/**
 * Runs one learning task in a worker thread of its own, so that the event loop stays free.
 * @throws AppError as the task does; CANCELLED after an abort; INTERNAL_ERROR when the thread dies
 */
export async function runInWorker(task: LearningTask, options: WorkerOptions = {}): Promise<LearningResult> {
  if (options.signal?.aborted) throw cancelled(options.signal)
  const worker = new Worker(new URL('./learning-worker.ts', import.meta.url), {
    workerData: task,
    // Options of the host's own entry, such as --eval's, do not fit the worker's file.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb ?? 1024 },
  })
  return settle(worker, options)
}

/** `trainImageClassifier` in a worker thread. */
export async function trainInWorker(job: TrainingJob, options: WorkerOptions = {}): Promise<TrainedModel> {
  const result = await runInWorker({ kind: 'train', job }, options)
  if (result.kind !== 'train') throw new Error('The worker answered another task')
  return result.model
}

/** `evaluateOnDataset` in a worker thread. */
export async function evaluateInWorker(job: EvaluationJob, options: WorkerOptions = {}): Promise<Evaluation> {
  const result = await runInWorker({ kind: 'evaluate', job }, options)
  if (result.kind !== 'evaluate') throw new Error('The worker answered another task')
  return result.evaluation
}
