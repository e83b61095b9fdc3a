import type { TrackingDeps } from '../deps.ts'
import { loggedModelRoot } from '../domain/artifact-source.ts'
import { type KeyValue, lastByKey } from '../domain/batch.ts'
import { type LoggedModel, refuseLoggedModelName } from '../domain/logged-model.ts'
import { randomName } from '../domain/random-name.ts'
import { checkParams, checkTags } from '../log-values.ts'
import { experimentMissing, experimentNotActive, refuseIf } from '../refusals.ts'
import { holdExperiment } from '../store/experiments.ts'
import { insertLoggedModel } from '../store/logged-models.ts'

export interface NewLoggedModel {
  readonly experimentId: number
  /** Random where it is left out. */
  readonly name: string | undefined
  readonly modelType: string
  readonly sourceRunId: string
  readonly tags: readonly KeyValue[]
  readonly params: readonly KeyValue[]
}

/** A model whose files are about to be uploaded. @throws AppError RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE */
export const createCreateLoggedModel = (deps: TrackingDeps) =>
  async function createLoggedModel(request: NewLoggedModel): Promise<LoggedModel> {
    const { experimentId, modelType, sourceRunId } = request
    const id = deps.newId()
    const name = request.name ?? randomName(id)
    refuseIf(refuseLoggedModelName(name))
    const tags = lastByKey(checkTags(request.tags, deps.config))
    const params = lastByKey(checkParams(request.params, deps.config))
    const modelId = `m-${id.replaceAll('-', '')}`
    const now = deps.clock().getTime()
    const fields = { modelId, experimentId, name, modelType, sourceRunId, tags, params, creationTime: now, lastUpdateTime: now }
    return deps.database.transaction(async (tx) => {
      const experiment = await holdExperiment(tx, experimentId)
      if (!experiment) throw experimentMissing(experimentId)
      if (experiment.lifecycle === 'deleted') throw experimentNotActive(experimentId)
      const artifactUri = loggedModelRoot(experiment.artifactLocation, modelId)
      const model: LoggedModel = { ...fields, artifactUri, status: 'LOGGED_MODEL_PENDING', statusMessage: '', lifecycle: 'active' }
      await insertLoggedModel(tx, model)
      return model
    })
  }
