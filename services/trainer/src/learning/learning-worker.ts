import { parentPort, workerData } from 'node:worker_threads'
import { AppError, messageOf } from '@millrace/platform/errors.ts'
import { evaluateOnDataset } from './evaluate-on-dataset.ts'
import { trainImageClassifier } from './train-image-classifier.ts'
import type { ReportProgress } from './training-job.ts'
import type { LearningResult, LearningTask, WorkerMessage } from './worker-messages.ts'

const send = (message: WorkerMessage): void => parentPort?.postMessage(message)

const report: ReportProgress = (progress) => send({ type: 'progress', progress })

async function perform(task: LearningTask): Promise<LearningResult> {
  if (task.kind === 'train') return { kind: 'train', model: await trainImageClassifier(task.job, report) }
  return { kind: 'evaluate', evaluation: await evaluateOnDataset(task.job, report) }
}

function failure(error: unknown): WorkerMessage {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  if (error instanceof AppError) return { type: 'failed', code: error.code, message: error.message, details: error.details, stack }
  return { type: 'failed', code: 'INTERNAL_ERROR', message: `Training failed unexpectedly: ${messageOf(error)}`, details: {}, stack }
}

/** `workerData` is what `runInWorker` passed; nobody else starts this file. */
const task: LearningTask = workerData

try {
  send({ type: 'done', result: await perform(task) })
} catch (error) {
  send(failure(error))
}
