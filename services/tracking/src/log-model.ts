import type { TrackingDeps } from './deps.ts'
import { appendToHistory, MODEL_HISTORY_TAG, readModelInfo } from './domain/model-history.ts'
import { invalid, runMissing, runNotActive } from './refusals.ts'
import { findRunTag, upsertRunTags } from './store/run-data.ts'
import { lockRun } from './store/runs.ts'

/** What older clients tell of a model: it is added to a tag of the run, once however often it is told. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createLogModel = (deps: TrackingDeps) =>
  async function logModel(runId: string, modelJson: string): Promise<void> {
    const read = readModelInfo(modelJson)
    if (read.kind === 'refused') throw invalid(read.message)
    await deps.database.transaction(async (tx) => {
      const run = await lockRun(tx, runId)
      if (!run) throw runMissing(runId)
      if (run.lifecycle === 'deleted') throw runNotActive(runId)
      const value = appendToHistory(await findRunTag(tx, runId, MODEL_HISTORY_TAG), read.info)
      await upsertRunTags(tx, runId, [{ key: MODEL_HISTORY_TAG, value }])
    })
  }
