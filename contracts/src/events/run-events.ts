import { z } from 'zod'
import { type DataOf, defineEvent } from './event.ts'
import { datasetRef, timestamp } from './fields.ts'

const topic = 'millrace.run-events.v1'

export const runStarted = defineEvent({
  name: 'RunStarted',
  type: 'io.millrace.run.started.v1',
  minor: 0,
  topic,
  description: 'A run was created.',
  data: z.looseObject({
    runId: z.string(),
    experimentId: z.string(),
    runName: z.string(),
    user: z.string(),
    startTime: timestamp,
    tags: z.record(z.string(), z.string()),
  }),
})
export type RunStarted = DataOf<typeof runStarted>

export const runFinished = defineEvent({
  name: 'RunFinished',
  type: 'io.millrace.run.finished.v1',
  minor: 2,
  topic,
  description: 'A run changed to FINISHED, FAILED or KILLED. A resumed run finishes again, as an event of its own.',
  data: z.looseObject({
    runId: z.string(),
    experimentId: z.string(),
    runName: z.string(),
    user: z.string(),
    status: z.string().meta({ 'x-known-values': ['FINISHED', 'FAILED', 'KILLED'] }),
    startTime: timestamp.nullable(),
    endTime: timestamp.nullable(),
    artifactUri: z.string(),
    tags: z.record(z.string(), z.string()),
    params: z.record(z.string(), z.string()),
    /** Latest finite value per metric. */
    metrics: z.record(z.string(), z.number()),
    datasets: z.array(datasetRef),
    /** Logged models that the run wrote. */
    outputs: z.array(z.looseObject({ modelId: z.string(), step: z.int() })),
  }),
})
export type RunFinished = DataOf<typeof runFinished>
