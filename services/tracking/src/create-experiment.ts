import { AppError } from '@millrace/platform/errors.ts'
import { setOwner } from './access/store.ts'
import { refuseExternalLocation } from './artifacts/place.ts'
import type { TrackingDeps } from './deps.ts'
import { experimentRoot, refuseArtifactLocation } from './domain/artifact-source.ts'
import { type KeyValue, lastByKey } from './domain/batch.ts'
import { refuseIf } from './refusals.ts'
import { insertExperiment, setArtifactLocation, upsertExperimentTags } from './store/experiments.ts'
import { checkExperimentTag } from './tag-experiment.ts'

export const experimentExists = (name: string): AppError => new AppError('RESOURCE_ALREADY_EXISTS', `Experiment(name=${name}) already exists.`)

export interface NewExperiment {
  readonly name: string
  /** `''` for a folder of its own in this store. */
  readonly artifactLocation: string
  readonly tags: readonly KeyValue[]
  /** Who makes it, and may manage it from then on. */
  readonly owner: string
}

/** Returns the id. @throws AppError RESOURCE_ALREADY_EXISTS, INVALID_PARAMETER_VALUE */
export const createCreateExperiment = (deps: TrackingDeps) =>
  async function createExperiment(request: NewExperiment): Promise<number> {
    refuseIf(refuseArtifactLocation(request.artifactLocation) ?? refuseExternalLocation(deps, request.artifactLocation))
    for (const [index, tag] of request.tags.entries()) checkExperimentTag(tag, `tags[${index}].`)
    return deps.database.transaction(async (tx) => {
      const id = await insertExperiment(tx, request.name, deps.clock().getTime())
      if (id === null) throw experimentExists(request.name)
      await setArtifactLocation(tx, id, request.artifactLocation || experimentRoot(id))
      await setOwner(tx, id, request.owner)
      await upsertExperimentTags(tx, id, lastByKey(request.tags))
      return id
    })
  }
