import { runStarted } from '@millrace/contracts/events/run-events.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrackingDeps } from './deps.ts'
import { runRoot } from './domain/artifact-source.ts'
import { type KeyValue, lastByKey } from './domain/batch.ts'
import { fitRecord } from './domain/finished-event.ts'
import { RUN_NAME_TAG } from './domain/key.ts'
import { randomName } from './domain/random-name.ts'
import { nameOfRun, type Run } from './domain/run.ts'
import { checkTags } from './log-values.ts'
import { type RunView, readRun } from './read-run.ts'
import { experimentMissing, experimentNotActive, invalid } from './refusals.ts'
import { holdExperiment } from './store/experiments.ts'
import { upsertRunTags } from './store/run-data.ts'
import { insertRun } from './store/runs.ts'
import { toTimestamp } from './timestamp.ts'

export interface NewRun {
  readonly experimentId: number
  readonly userId: string
  readonly runName: string | undefined
  /** Ms since the epoch; now where it is left out. */
  readonly startTime: number | undefined
  readonly tags: readonly KeyValue[]
  /** A repeated call with one key answers with the run of the first. */
  readonly idempotencyKey: string | undefined
}

const STARTED_TAG_BYTES = 500_000

/** Starts a run in an active experiment and says so. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createCreateRun = (deps: TrackingDeps) =>
  async function createRun(request: NewRun): Promise<RunView> {
    const tags = checkTags(request.tags, deps.config)
    const id = deps.newId()
    const named = nameOfRun(request.runName, tags.find((tag) => tag.key === RUN_NAME_TAG)?.value, randomName(id))
    if (named.kind === 'refused') throw invalid(named.message)
    const fields = { runId: id.replaceAll('-', ''), runName: named.name, tags: lastByKey([...tags, { key: RUN_NAME_TAG, value: named.name }]) }
    return deps.database.transaction(async (tx) => {
      const start = (): Promise<string> => startRun(deps, tx, request, fields)
      const runId = request.idempotencyKey ? await deps.once(tx, `runs/create:${request.idempotencyKey}`, start) : await start()
      return readRun(tx, runId)
    })
  }

async function startRun(deps: TrackingDeps, tx: Sql, request: NewRun, fields: { runId: string; runName: string; tags: readonly KeyValue[] }): Promise<string> {
  const { runId, runName, tags } = fields
  const experiment = await holdExperiment(tx, request.experimentId)
  if (!experiment) throw experimentMissing(request.experimentId)
  if (experiment.lifecycle === 'deleted') throw experimentNotActive(request.experimentId)
  const startTime = request.startTime ?? deps.clock().getTime()
  const run: Run = {
    runId,
    runName,
    experimentId: request.experimentId,
    userId: request.userId,
    status: 'RUNNING',
    startTime,
    endTime: null,
    artifactUri: runRoot(experiment.artifactLocation, runId),
    lifecycle: 'active',
  }
  await insertRun(tx, run)
  await upsertRunTags(tx, runId, tags)
  const data = {
    runId,
    experimentId: String(run.experimentId),
    runName,
    user: run.userId,
    startTime: toTimestamp(startTime),
    tags: fitRecord(Object.fromEntries(tags.map((tag) => [tag.key, tag.value])), STARTED_TAG_BYTES),
  }
  await deps.publish(tx, { definition: runStarted, subject: runId, data })
  return runId
}
