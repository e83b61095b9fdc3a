import { z } from 'zod'
import { defineEvent } from './event.ts'

const topic = 'millrace.training-events.v1'
const job = { jobId: z.string(), attempt: z.int().positive(), model: z.string() }

export const trainingRequested = defineEvent({
  name: 'TrainingRequested',
  type: 'io.millrace.training.requested.v1',
  minor: 0,
  topic,
  description: 'A job entered the queue.',
  data: z.looseObject({ jobId: z.string(), model: z.string(), dataset: z.string(), requestedBy: z.string(), cause: z.string() }),
})

export const trainingStarted = defineEvent({
  name: 'TrainingStarted',
  type: 'io.millrace.training.started.v1',
  minor: 0,
  topic,
  description: 'An attempt of a job began.',
  data: z.looseObject({ ...job, runId: z.string().nullable() }),
})

export const trainingFinished = defineEvent({
  name: 'TrainingFinished',
  type: 'io.millrace.training.finished.v1',
  minor: 0,
  topic,
  description: 'A job ended well; its run is finished in tracking.',
  data: z.looseObject({ ...job, runId: z.string(), metrics: z.record(z.string(), z.number()), durationMs: z.number().nonnegative() }),
})

export const trainingFailed = defineEvent({
  name: 'TrainingFailed',
  type: 'io.millrace.training.failed.v1',
  minor: 0,
  topic,
  description: 'A job ended without a model: failed, timed out or cancelled.',
  data: z.looseObject({
    ...job,
    runId: z.string().nullable(),
    state: z.string().meta({ 'x-known-values': ['failed', 'timed_out', 'cancelled'] }),
    reason: z.string(),
  }),
})
