import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrackingDeps } from './deps.ts'
import { changedParams, describeParamChange, type KeyValue, lastByKey, refuseBatchSize, refuseDuplicateParams } from './domain/batch.ts'
import { RUN_NAME_TAG, refuseKey } from './domain/key.ts'
import type { ModelPoint, Point } from './domain/metric.ts'
import type { Lifecycle } from './domain/run.ts'
import { checkParam, checkParams, checkTag, checkTags } from './log-values.ts'
import { invalid, loggedModelMissing, missing, refuseIf, runMissing, runNotActive } from './refusals.ts'
import { findMissingModels } from './store/logged-models.ts'
import { insertModelPoints, insertPoints } from './store/metrics.ts'
import { deleteRunTag, insertParams, upsertRunTags } from './store/run-data.ts'
import { findRun, lockRun, renameRun } from './store/runs.ts'

export interface LoggedPoint extends Point {
  /** `''` where the point is the run's alone. */
  readonly modelId: string
  readonly datasetName: string
  readonly datasetDigest: string
}

export interface Batch {
  readonly metrics: readonly LoggedPoint[]
  readonly params: readonly KeyValue[]
  readonly tags: readonly KeyValue[]
}

/** Everything of a batch or nothing. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createLogBatch = (deps: TrackingDeps) =>
  async function logBatch(runId: string, batch: Batch): Promise<void> {
    refuseIf(refuseBatchSize({ metrics: batch.metrics.length, params: batch.params.length, tags: batch.tags.length }))
    for (const [index, point] of batch.metrics.entries()) refuseIf(refuseKey(point.key, `metrics[${index}].key`))
    const params = checkParams(batch.params, deps.config)
    const tags = checkTags(batch.tags, deps.config)
    refuseIf(refuseDuplicateParams(params))
    await logAll(deps, runId, { metrics: batch.metrics, params, tags }, true)
  }

export const createLogMetric = (deps: TrackingDeps) =>
  async function logMetric(runId: string, point: LoggedPoint): Promise<void> {
    refuseIf(refuseKey(point.key, 'key'))
    await logAll(deps, runId, { metrics: [point], params: [], tags: [] }, false)
  }

export const createLogParam = (deps: TrackingDeps) =>
  async function logParam(runId: string, param: KeyValue): Promise<void> {
    await logAll(deps, runId, { metrics: [], params: [checkParam(param, deps.config)], tags: [] }, false)
  }

export const createSetTag = (deps: TrackingDeps) =>
  async function setTag(runId: string, tag: KeyValue): Promise<void> {
    await logAll(deps, runId, { metrics: [], params: [], tags: [checkTag(tag, deps.config)] }, false)
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST where the run lacks the tag */
export const createDeleteTag = (deps: TrackingDeps) =>
  async function deleteTag(runId: string, key: string): Promise<void> {
    await deps.database.transaction(async (tx) => {
      await requireActive(tx, runId)
      if (!(await deleteRunTag(tx, runId, key))) throw missing(`No tag with name: ${key} in run with id ${runId}`)
    })
  }

/** Points alone need no transaction: they are one statement. */
async function logAll(deps: TrackingDeps, runId: string, batch: Batch, inBatch: boolean): Promise<void> {
  const modelPoints = batch.metrics.filter((point) => point.modelId !== '').map((point): ModelPoint => ({ ...point, runId }))
  if (batch.params.length + batch.tags.length + modelPoints.length === 0 && batch.metrics.length > 0) {
    refuseInactive(await insertPoints(deps.database, runId, batch.metrics), runId)
    return
  }
  await deps.database.transaction(async (tx) => {
    // Whoever renames a run changes the run as well: the run comes first, as in an update.
    if (batch.tags.some((tag) => tag.key === RUN_NAME_TAG)) await lockRun(tx, runId)
    await requireActive(tx, runId)
    const changes = changedParams(batch.params, await insertParams(tx, runId, batch.params))
    if (changes.length > 0) throw invalid(describeParamChange(runId, changes, inBatch))
    if (batch.metrics.length > 0) await insertPoints(tx, runId, batch.metrics)
    await logModelPoints(tx, modelPoints)
    await writeTags(tx, runId, lastByKey(batch.tags))
  })
}

async function requireActive(tx: Sql, runId: string): Promise<void> {
  refuseInactive((await findRun(tx, runId))?.lifecycle ?? null, runId)
}

function refuseInactive(lifecycle: Lifecycle | null, runId: string): void {
  if (lifecycle === null) throw runMissing(runId)
  if (lifecycle === 'deleted') throw runNotActive(runId)
}

async function logModelPoints(tx: Sql, points: readonly ModelPoint[]): Promise<void> {
  if (points.length === 0) return
  const [unknown] = await findMissingModels(tx, [...new Set(points.map((point) => point.modelId))])
  if (unknown !== undefined) throw loggedModelMissing(unknown)
  await insertModelPoints(tx, points)
}

/** The name of a run is a tag as well: whoever sets the one changes the other. */
async function writeTags(tx: Sql, runId: string, tags: readonly KeyValue[]): Promise<void> {
  await upsertRunTags(tx, runId, tags)
  const name = tags.find((tag) => tag.key === RUN_NAME_TAG)
  if (name) await renameRun(tx, runId, name.value)
}
