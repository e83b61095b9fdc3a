import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { TrackingDeps } from './deps.ts'
import type { KeyValue } from './domain/batch.ts'
import { refuseKey } from './domain/key.ts'
import { experimentMissing, experimentNotActive, invalid, missing, refuseIf } from './refusals.ts'
import { deleteExperimentTag, lockExperiment, upsertExperimentTags } from './store/experiments.ts'

const MAX_VALUE = 5000

/** @throws AppError INVALID_PARAMETER_VALUE; `prefix` stands before the field's name, such as `tags[0].` */
export function checkExperimentTag(tag: KeyValue, prefix = ''): void {
  refuseIf(refuseKey(tag.key, `${prefix}key`))
  if (tag.value.length > MAX_VALUE) throw invalid(`'${prefix}value' exceeds the maximum length of ${MAX_VALUE} characters`)
}

async function lockActive(tx: Sql, experimentId: number): Promise<void> {
  const lifecycle = await lockExperiment(tx, experimentId)
  if (lifecycle === null) throw experimentMissing(experimentId)
  if (lifecycle === 'deleted') throw experimentNotActive(experimentId)
}

export const createSetExperimentTag = (deps: TrackingDeps) =>
  async function setExperimentTag(experimentId: number, tag: KeyValue): Promise<void> {
    checkExperimentTag(tag)
    await deps.database.transaction(async (tx) => {
      await lockActive(tx, experimentId)
      await upsertExperimentTags(tx, experimentId, [tag])
    })
  }

/** @throws AppError RESOURCE_DOES_NOT_EXIST where the experiment lacks the tag */
export const createDeleteExperimentTag = (deps: TrackingDeps) =>
  async function removeExperimentTag(experimentId: number, key: string): Promise<void> {
    await deps.database.transaction(async (tx) => {
      await lockActive(tx, experimentId)
      if (!(await deleteExperimentTag(tx, experimentId, key))) throw missing(`No tag with name: ${key} in experiment with id ${experimentId}`)
    })
  }
